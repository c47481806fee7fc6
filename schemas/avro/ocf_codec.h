/* schemas/avro/ocf_codec.h - packing and unpacking one block; for ocf_*.c alone. Thread: any. */
#ifndef SCHEMAS_AVRO_OCF_CODEC_H
#define SCHEMAS_AVRO_OCF_CODEC_H

#include "bus/buf.h"
#include "schemas/avro/ocf.h"

/* Appends to out. Unpacking: never more than most bytes (BUS_ETOOBIG), memory in proportion to what comes
 * out; BUS_EDATA: not of this codec, or cut off. */
enum bus_err schema_codec_pack(enum schema_codec codec, struct bus_str plain, struct bus_buf *out,
			       struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_codec_unpack(enum schema_codec codec, struct bus_str packed, size_t most,
				 struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
