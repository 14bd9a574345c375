m.registerHelper('up', s => String(s).toUpperCase()); m.registerPartial('p', '[{{x}}{{> @partial-block}}]')
for (const t of ['{{a}} {{{a}}}', '{{#each l as |i n|}}{{n}}:{{i.k}}{{#unless @last}},{{/unless}}{{else}}no{{/each}}', '{{#if z}}1{{else if a}}2{{/if}}', '{{up a}} {{up (up "x")}}', '{{#with n}}{{../a}} {{m.0}}{{/with}}',
  '{{#> p x=1}}blk{{/p}}', '{{~#each l~}} {{k}} {{~/each~}}', '{{lookup l 0}} {{log "x"}}', '{{#a', '{{missing arg}}', '{{!-- c --}}\\{{a}}', '{{@root.a}} {{this.z}} {{[a]}}', '{{#each n}}{{@key}}={{this}};{{/each}}', '{{> nope}}'])
  for (const o of [{}, {noEscape: true}, {strict: true}, {compat: true}, {preventIndent: true, explicitPartialContext: true}, {knownHelpersOnly: true}])
    out(attempt(() => m.compile(t, o)({a: '<&\'>', l: [{k: 1}, {k: 2}], n: {m: ['q']}, z: 0})), attempt(() => m.precompile(t, o).length), attempt(() => m.parse(t)))
