// @asyncapi/parser with its Avro plug-in: reads documents' names from the command line, prints what it finds wrong.
const fs = require('fs')
const { Parser } = require('@asyncapi/parser')
const { AvroSchemaParser } = require('@asyncapi/avro-schema-parser')

async function main() {
  const parser = new Parser()
  parser.registerSchemaParser(AvroSchemaParser())
  for (const file of process.argv.slice(2)) {
    const { document, diagnostics } = await parser.parse(fs.readFileSync(file, 'utf8'))
    const wrong = diagnostics.filter((d) => d.severity === 0).map((d) => d.path.join('/') + ': ' + d.message)
    const channels = document ? document.channels().all().map((c) => [c.address(), c.messages().all().map((m) => m.name())]) : null
    console.log(JSON.stringify({ file, wrong, channels }))
  }
}
main()
