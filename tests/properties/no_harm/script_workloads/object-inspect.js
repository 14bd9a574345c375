const c = {a: 1}; c.self = c
class K { constructor() { this.q = 1 } get [Symbol.toStringTag]() { return 'KK' } }
for (const v of [1, -0, 'a\'b\n', null, undefined, [1, , 3], {a: {b: {c: {d: {e: {f: 1}}}}}}, c, new Map([[1, {a: 2}]]), new Set([1, 'x']), /a/g, new Date(0), () => 1,
  function nm() {}, Symbol('s'), new Error('x', {cause: 'y'}), Object(1), Object('s'), Object(true), 10n, new WeakMap, new K, Object.create(null), 'x'.repeat(300), Object(Symbol('z')), 1234567.891])
  for (const o of [{}, {depth: 1}, {indent: 2}, {indent: '\t'}, {quoteStyle: 'double'}, {maxStringLength: 9}, {numericSeparator: true}, {customInspect: false}]) out(attempt(() => m(v, o)))
