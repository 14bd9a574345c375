const show = x => { try { return JSON.stringify(x, (k, v) => typeof v === 'bigint' || typeof v === 'symbol' || v instanceof RegExp ? String(v) : typeof v === 'function' ? 'f' : v) + '' } catch (e) { return String(e.message) } }
const out = (...xs) => process.stdout.write(xs.map(show).join(' ') + '\n')
const attempt = f => { try { return f() } catch (e) { return 'E ' + (e && e.message) } }
const m = require(process.cwd())
