// npm's `eventsource`: follows URL with KEY until it was told N changes, through whatever restarts, then prints them and how
// often it opened.
const { EventSource } = require('eventsource')

const { URL: url, KEY, N } = process.env
const told = []
let opened = 0

const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, Authorization: 'Bearer ' + KEY } }),
})
source.onopen = () => { opened++; if (opened === 1) console.log('open') }
for (const name of ['upsert', 'delete'])
  source.addEventListener(name, (e) => {
    told.push([name, JSON.parse(e.data).key, e.lastEventId])
    if (told.length === Number(N)) {
      source.close()
      console.log(JSON.stringify({ told, opened }))
      process.exit(0)
    }
  })
