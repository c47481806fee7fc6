// @kafkajs/confluent-schema-registry with kafkajs. What it does: ../README.md.
const assert = require('assert')
const fs = require('fs')
const { Kafka, logLevel } = require('kafkajs')
const { SchemaRegistry, SchemaType, COMPATIBILITY } = require('@kafkajs/confluent-schema-registry')

const schemas = JSON.parse(fs.readFileSync(process.env.SCHEMAS))
const avro = (schema) => ({ type: SchemaType.AVRO, schema: JSON.stringify(schema) })
const registry = () => new SchemaRegistry({ host: process.env.REGISTRY }, undefined)
const kafka = new Kafka({ clientId: 'kafkajs', brokers: [process.env.KAFKA], logLevel: logLevel.NOTHING })
const done = (step) => console.log('ok ' + step)

async function write(topic) {
  const r = registry()
  const options = { subject: topic + '-value', compatibility: COMPATIBILITY.BACKWARD }
  const v1 = (await r.register(avro(schemas.v1), options)).id
  assert.strictEqual((await registry().register(avro(schemas.v1), options)).id, v1)
  done('register')
  assert.strictEqual(await r.getLatestSchemaId(options.subject), v1)
  assert.strictEqual(await registry().getRegistryId(options.subject, 1), v1)
  assert.strictEqual(await registry().getRegistryIdBySchema(options.subject, avro(schemas.v1)), v1)
  assert.ok(await registry().getSchema(v1))
  done('lookup')
  const v2 = (await r.register(avro(schemas.v2), options)).id
  assert.notStrictEqual(v2, v1)
  assert.strictEqual(await registry().getLatestSchemaId(options.subject), v2)
  done('evolve')
  await assert.rejects(r.register(avro(schemas.bad), options), (e) => e.status === 409)
  done('refuse')
  const producer = kafka.producer()
  await producer.connect()
  for (const [id, record] of [[v1, { id: '1', nama: 'Sari' }], [v2, { id: '2', nama: 'Budi', umur: 41 }]]) {
    await producer.send({ topic, messages: [{ value: await r.encode(id, record) }] })
  }
  await producer.disconnect()
  done('send')
}

async function read(topics) {
  const r = registry()
  const left = new Map(topics.map((topic) => [topic, 2]))
  const consumer = kafka.consumer({ groupId: 'kafkajs-' + process.pid + '-' + Date.now() })
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('not all records came')), 60000)
    consumer.run({
      eachMessage: async ({ topic, message }) => {
        try {
          console.log(topic + ' ' + JSON.stringify(await r.decode(message.value)))
        } catch (e) {
          reject(e)
        }
        left.set(topic, left.get(topic) - 1)
        if ([...left.values()].every((n) => n <= 0)) {
          clearTimeout(late)
          resolve()
        }
      },
    })
  })
  await consumer.disconnect()
}

const [, , verb, ...topics] = process.argv
const work = verb === 'write' ? write(topics[0]) : read(topics)
work.then(() => process.exit(0), (e) => {
  console.error(e)
  process.exit(1)
})
