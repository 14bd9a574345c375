for (const a of [['-a', '1', '--b=2', 'c'], ['--no-x', '-abc', '--', '-d'], ['-n5', '-vv', '--x.y=3', '--x.z', '4'], ['--str', '', '-s', '-'], ['--a=b=c', '-1', '--flag', 'true']])
  for (const o of [{}, {string: ['n', 'str', 's']}, {boolean: true}, {boolean: ['a', 'flag'], alias: {a: ['all', 'A'], s: 'str'}}, {'--': true, default: {q: 1, a: 7}},
    {stopEarly: true}, {unknown: x => x[1] !== 'v'}]) out(m(a, o))
