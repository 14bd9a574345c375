const vs = ['1.2.3', '1.2.3-beta.1', 'v2.0.0', '0.0.1+build', 'x', '10.20.30', '1.2', '>=1', '1.0.0-0', '2.0.0-rc.2']
const rs = ['^1.2.0', '~1', '>=1.2 <2 || 3.x', '1.2.3 - 2', '*', '<=2.0.0-rc', '', '=1.2.3', '>x']
for (const v of vs) {
  out(m.valid(v), m.clean(v), m.coerce(v), m.prerelease(v) , m.parse(v), attempt(() => m.major(v)))
  for (const k of ['major', 'minor', 'patch', 'premajor', 'preminor', 'prepatch', 'prerelease']) out(m.inc(v, k, 'a'))
  for (const r of rs) out(m.satisfies(v, r), attempt(() => m.ltr(v, r)), attempt(() => m.gtr(v, r)))
  for (const w of vs) out(attempt(() => [m.compare(v, w), m.diff(v, w), m.compareBuild(v, w), m.lt(v, w), m.cmp(v, '>=', w)]))
}
for (const r of rs) { out(m.validRange(r), attempt(() => m.minVersion(r)), attempt(() => m.maxSatisfying(vs, r)))
  for (const q of rs) out(attempt(() => [m.subset(r, q), m.intersects(r, q), m.simplifyRange(vs, r)])) }
