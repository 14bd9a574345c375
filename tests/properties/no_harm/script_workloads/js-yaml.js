const ds = ['a: 1\nb: [1, 2, {c: d}]', '- x\n- y: |\n    one\n    two\n- >-\n  f\n  g', '&a {x: 1}\n---\n*a', 'a: &b {c: 1}\nd:\n  <<: *b\n',
  '!!set {a, b}', '!!binary aGk=', '2001-12-14t21:59:43.10-05:00', '"\\u263a\\n"', '{a: ~, b: 0x1f, c: 1e3, d: .inf, e: 0o17, f: yes}', 'a: [', '- a\n b',
  "'it''s'", '%YAML 1.2\n---\na: 1\n...', '!!js/x 1', '? a\n: b', '!!omap [a: 1]', '!!pairs [a: 1, a: 2]', '- 1_000\n- -0b11\n- +12', 'a: b: c', '\t- a']
for (const d of ds) { out(attempt(() => m.load(d))); out(attempt(() => m.loadAll(d)));
  out(attempt(() => m.dump(m.load(d)))); out(attempt(() => m.dump(m.load(d), {flowLevel: 1, sortKeys: true, indent: 4, quotingType: '"', lineWidth: 20}))) }
const shared = {z: 1}
out(m.dump({a: [shared, shared], s: 'a: b', t: ' lead', u: 'multi\nline\n', n: null, d: new Date(0), k: 'x'.repeat(100) + ' ' + 'y '.repeat(60), e: '', f: -0, g: 1e21, y: 'yes', w: '0x1'}))
out(attempt(() => m.dump({f: () => 1})), m.dump({f: () => 1, a: undefined}, {skipInvalid: true}), attempt(() => m.load(ds[0], {schema: m.FAILSAFE_SCHEMA})))
