const css = ['a{color:red}', '@media (min-width:1px){a,b>c{d:e!important;/*x*/f:url(a b)}}', 'a{b:c', '/* x */\n\n@import "y";\n:root{--z: {a:b};}', 'a{\n  b: c;;\n  d : e ;\n}\n', '@charset "x"; a::before{content:"\\201C"}', 'a{b}', '}', '@x y{z{w:v}}', "a[b='c\\'d']{}"]
for (const c of css) { const r = attempt(() => m.parse(c, {from: 'a.css'})); if (typeof r === 'string') { out(r); continue }
  out(JSON.stringify(r.toJSON()), r.toString()); r.walk(n => out(n.type, n.source && n.source.start, attempt(() => n.rangeBy && n.rangeBy({}))))
  r.walkDecls(d => { d.cloneBefore({prop: 'z' + d.prop}); d.value += '1' }); r.walkRules(x => { x.selectors = x.selectors.map(s => s + ' q'); x.append({prop: 'n', value: 'm'}) })
  out(r.toString()); out(attempt(() => m([p => p.append('k{}'), {postcssPlugin: 'z', Declaration(d) { d.important = true }}]).process(c, {from: 'a.css', to: 'b.css', map: {inline: false}}).css)) }
out(m.list.comma('a, b(c, d)'), m.list.space("a 'b c' d"), attempt(() => m.fromJSON(m.parse('a{b:c}').toJSON()).toString()), m.rule({selector: 'x'}).toString())
