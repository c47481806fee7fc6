// franz-go's registry client pkg/sr and its Kafka client kgo, Avro by hamba. What it does: ../README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

var ctx, cancel = context.WithTimeout(context.Background(), 2*time.Minute)

func done(step string) { fmt.Println("ok " + step) }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func check(ok bool, what string) {
	if !ok {
		log.Fatal(what)
	}
}

func write(r *sr.Client, topic string) {
	var texts map[string]json.RawMessage
	must(0, json.Unmarshal(must(os.ReadFile(os.Getenv("SCHEMAS"))), &texts))
	schema := func(name string) sr.Schema { return sr.Schema{Schema: string(texts[name]), Type: sr.TypeAvro} }
	subject := topic + "-value"

	first := must(r.CreateSchema(ctx, subject, schema("v1")))
	check(must(r.CreateSchema(ctx, subject, schema("v1"))).ID == first.ID, "another id")
	done("register")
	found := must(r.LookupSchema(ctx, subject, schema("v1")))
	check(found.ID == first.ID && found.Version == 1, "not found")
	check(must(r.SchemaByVersion(ctx, subject, -1)).ID == first.ID, "not the latest")
	must(avro.Parse(must(r.SchemaByID(ctx, first.ID)).Schema))
	check(len(must(r.SchemaVersionsByID(ctx, first.ID))) > 0, "no versions of the id")
	done("lookup")
	check(must(r.CheckCompatibility(ctx, subject, -1, schema("v2"))).Is, "not compatible")
	second := must(r.CreateSchema(ctx, subject, schema("v2")))
	check(len(must(r.SubjectVersions(ctx, subject))) == 2, "not two versions")
	done("evolve")
	check(!must(r.CheckCompatibility(ctx, subject, -1, schema("bad"))).Is, "compatible")
	_, err := r.CreateSchema(ctx, subject, schema("bad"))
	var refused *sr.ResponseError
	check(errors.As(err, &refused) && refused.StatusCode == 409, fmt.Sprint("not refused: ", err))
	done("refuse")

	kafka := must(kgo.NewClient(kgo.SeedBrokers(os.Getenv("KAFKA"))))
	defer kafka.Close()
	var header sr.ConfluentHeader
	for _, part := range []struct {
		registered sr.SubjectSchema
		record     map[string]any
	}{{first, map[string]any{"id": "1", "nama": "Sari"}}, {second, map[string]any{"id": "2", "nama": "Budi", "umur": 41}}} {
		value := must(header.AppendEncode(nil, part.registered.ID, nil))
		value = append(value, must(avro.Marshal(must(avro.Parse(part.registered.Schema.Schema)), part.record))...)
		must(0, kafka.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: value}).FirstErr())
	}
	done("send")
}

func read(r *sr.Client, topics []string) {
	kafka := must(kgo.NewClient(kgo.SeedBrokers(os.Getenv("KAFKA")), kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())))
	defer kafka.Close()
	var header sr.ConfluentHeader
	for left := 2 * len(topics); left > 0; {
		fetches := kafka.PollFetches(ctx)
		must(0, fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			id, bytes, err := header.DecodeID(record.Value)
			must(0, err)
			var value map[string]any
			must(0, avro.Unmarshal(must(avro.Parse(must(r.SchemaByID(ctx, id)).Schema)), bytes, &value))
			fmt.Println(record.Topic, string(must(json.Marshal(value))))
			left--
		})
	}
}

func main() {
	defer cancel()
	r := must(sr.NewClient(sr.URLs(os.Getenv("REGISTRY"))))
	if os.Args[1] == "write" {
		write(r, os.Args[2])
	} else {
		read(r, os.Args[2:])
	}
}
