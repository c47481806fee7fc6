/* Records of the topic of claims, as they are written; answers: result.c. */
#include "gateway/publish/claims.h"

#define LEN GW_PUBLISH_KEY_LEN

void gw_claims_put_open(struct bus_buf *out, const uint8_t *id, const char *transactional)
{
	bus_buf_putc(out, 'O');
	bus_buf_put(out, id, LEN);
	bus_buf_puts(out, transactional);
}

void gw_claims_put_over(struct bus_buf *out, const uint8_t *id)
{
	bus_buf_putc(out, 'X');
	bus_buf_put(out, id, LEN);
}

void gw_claims_put_claim(struct bus_buf *out, const struct gw_publish_batch *b)
{
	bus_buf_putc(out, 'C');
	bus_buf_put(out, b->key, LEN);
	bus_buf_put(out, b->print, LEN);
	bus_buf_put(out, b->incarnation, LEN);
}

void gw_claims_put_back(struct bus_buf *out, const uint8_t *key, const uint8_t *id)
{
	bus_buf_putc(out, 'F');
	bus_buf_put(out, key, LEN);
	bus_buf_put(out, id, LEN);
}
