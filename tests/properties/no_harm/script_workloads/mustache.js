const v = {a: '<b>', n: {m: [1, 2, {x: 'y'}]}, f: () => (t, r) => '(' + r(t) + ')', e: [], z: 0, l: [{k: 1}, {k: 2}], t: true}
for (const t of ['{{a}} {{{a}}} {{&a}}', '{{#l}}\n  {{k}},\n{{/l}}\n', '{{^e}}none{{/e}}{{#z}}no{{/z}}', '{{#f}}x{{a}}{{/f}}', '{{! c }}{{=<% %>=}}<%a%>', '  {{>p}}\n', '{{#a}', '{{#a}}{{/b}}', '{{n.m.length}}{{#n.m}}{{.}}{{/n.m}}', '{{>missing}}{{t}}', '{{/a}}', '{{#a}}'])
  out(attempt(() => m.render(t, v, {p: 'P{{a}}\nQ'})), attempt(() => m.parse(t)), attempt(() => m.render(t, v, {p: 'x'}, {escape: x => x + '!'})))
