// @confluentinc/schemaregistry (its Avro serializer and deserializer), with kafkajs to carry the bytes:
// @confluentinc/kafka-javascript downloads a binary when it is installed. What it does: ../README.md.
const assert = require('assert')
const fs = require('fs')
const { Kafka, logLevel } = require('kafkajs')
const { SchemaRegistryClient, AvroSerializer, AvroDeserializer, SerdeType } = require('@confluentinc/schemaregistry')

const schemas = JSON.parse(fs.readFileSync(process.env.SCHEMAS))
const info = (schema) => ({ schemaType: 'AVRO', schema: JSON.stringify(schema) })
const registry = () => new SchemaRegistryClient({ baseURLs: [process.env.REGISTRY] })
const kafka = new Kafka({ clientId: 'confluent-js', brokers: [process.env.KAFKA], logLevel: logLevel.NOTHING })
const done = (step) => console.log('ok ' + step)

async function write(topic) {
  const r = registry()
  const subject = topic + '-value'
  const v1 = await r.register(subject, info(schemas.v1))
  assert.strictEqual(await registry().register(subject, info(schemas.v1)), v1)
  done('register')
  assert.strictEqual(await registry().getId(subject, info(schemas.v1)), v1)
  assert.strictEqual(await registry().getVersion(subject, info(schemas.v1)), 1)
  assert.deepStrictEqual(JSON.parse((await registry().getBySubjectAndId(subject, v1)).schema), schemas.v1)
  assert.strictEqual((await registry().getLatestSchemaMetadata(subject)).version, 1)
  done('lookup')
  assert.strictEqual(await r.testSubjectCompatibility(subject, info(schemas.v2)), true)
  const v2 = await r.register(subject, info(schemas.v2))
  assert.deepStrictEqual(await registry().getAllVersions(subject), [1, 2])
  done('evolve')
  assert.strictEqual(await r.testSubjectCompatibility(subject, info(schemas.bad)), false)
  await assert.rejects(r.register(subject, info(schemas.bad)), (e) => e.status === 409)
  done('refuse')
  const producer = kafka.producer()
  await producer.connect()
  for (const [id, record] of [[v1, { id: '1', nama: 'Sari' }], [v2, { id: '2', nama: 'Budi', umur: 41 }]]) {
    const serializer = new AvroSerializer(registry(), SerdeType.VALUE, { autoRegisterSchemas: false, useSchemaId: id })
    await producer.send({ topic, messages: [{ value: await serializer.serialize(topic, record) }] })
  }
  await producer.disconnect()
  done('send')
}

async function read(topics) {
  const deserializer = new AvroDeserializer(registry(), SerdeType.VALUE, {})
  const left = new Map(topics.map((topic) => [topic, 2]))
  const consumer = kafka.consumer({ groupId: 'confluent-js-' + process.pid + '-' + Date.now() })
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('not all records came')), 60000)
    consumer.run({
      eachMessage: async ({ topic, message }) => {
        try {
          console.log(topic + ' ' + JSON.stringify(await deserializer.deserialize(topic, message.value)))
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
