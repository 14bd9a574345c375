for (const t of ['a<%= b %>c', '<% for (const x of xs) { %>\n<%- x -%>\n<% } %>', '<%# no %><%% <%_ if (b) { _%> y <%_ } _%>', '<%= missing %>', '<% if (', '<%= b + "<&>" %>\r\n<% b %>'])
  for (const o of [{}, {rmWhitespace: true}, {delimiter: '?'}, {strict: true}, {compileDebug: false}, {client: true}, {_with: false, localsName: 'l'}, {escape: s => '[' + s + ']'}])
    out(attempt(() => m.render(t, {b: '<1>', xs: [1, 'q"\'']}, o)), attempt(() => m.compile(t, o).toString().length))
