const ss = ['a=1&b=2', 'a[b][c]=1&a[b][d]=2', 'a[]=1&a[]=2', 'a[0]=b&a[5]=c', 'a.b=1', '?x=%20y&z', 'a=1,2,3', 'a[b]=1&a=2',
  '%F0%9F%98%80=1&utf8=%E2%9C%93', 'a[b][c][d][e][f][g]=1', 'a=&b', 'a[__proto__]=1', 'a=%E9', 'a&#9786;=b&#x263a;']
for (const s of ss) for (const o of [{}, {allowDots: true}, {comma: true}, {depth: 1}, {ignoreQueryPrefix: true}, {charset: 'iso-8859-1',
  interpretNumericEntities: true, charsetSentinel: true}, {parameterLimit: 1}, {arrayLimit: 0}, {duplicates: 'last'},
  {plainObjects: true}, {strictNullHandling: true}, {allowSparse: true}, {allowEmptyArrays: true}, {parseArrays: false}])
  out(attempt(() => m.parse(s, o)))
const os = [{a: 1, b: [1, 2, {c: 3}]}, {a: null, b: undefined, c: ''}, {a: {b: {c: 'é ☺'}}}, {a: [], d: new Date(0)}, {f: x => 1, g: true}]
for (const v of os) for (const o of [{}, {arrayFormat: 'brackets'}, {arrayFormat: 'repeat'}, {arrayFormat: 'comma'}, {allowDots: true},
  {encode: false}, {skipNulls: true}, {addQueryPrefix: true}, {charset: 'iso-8859-1', charsetSentinel: true}, {sort: (a, b) => a < b ? 1 : -1},
  {filter: ['a']}, {strictNullHandling: true}, {format: 'RFC1738'}, {encodeValuesOnly: true}, {delimiter: ';'}, {indices: false}])
  out(attempt(() => m.stringify(v, o)))
