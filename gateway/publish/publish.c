#include "bus/log.h"
#include "gateway/publish/impl.h"
#include "gateway/publish/journal.h"

enum bus_err gw_publish_open(const struct gw_publish_conf *conf, struct gw_publish **out,
			     struct bus_error *err)
{
	struct gw_publish *p = bus_xcalloc(1, sizeof(*p));
	enum bus_err rc;

	p->conf = *conf;
	p->conf.topic = p->topic = bus_xstrdup(conf->topic);
	p->conf.id = p->id = bus_xstrdup(conf->id);
	if (conf->city) {
		memcpy(p->city, conf->city, sizeof(p->city));
		p->conf.city = p->city;
	}
	pthread_rwlock_init(&p->plain_lock, NULL);
	pthread_mutex_init(&p->known_lock, NULL);
	pthread_mutex_init(&p->held_lock, NULL);
	p->held_of = bus_shares_new();
	p->records = bus_metric("titian_publish_records_total", "counter",
				"Records taken over HTTP that are in Kafka.", "");
	p->refused = bus_metric("titian_publish_refused_total", "counter",
				"Records that came over HTTP and were refused.", "");
	p->replayed = bus_metric("titian_publish_replayed_total", "counter",
				 "Requests answered from an earlier one of the same Idempotency-Key.", "");
	p->busy = bus_metric("titian_publish_busy_total", "counter",
			     "Requests refused because too much was on its way.", "");
	if (!conf->city)
		bus_log(BUS_LOG_WARN, "publish.no_city_key",
			LOG_STR("reason", "publish.city_key is not set: idempotency keys stand in the topics hashed without a "
					  "secret, so whoever reads those can try guesses; a NIK as a key is refused"));
	rc = gw_plain_start(p, err);
	if (rc == BUS_OK)
		rc = gw_journal_start(p, &p->journal, err);
	if (rc != BUS_OK) {
		gw_publish_stop(p);
		gw_publish_free(&p);
	}
	*out = p;
	return rc;
}

void gw_publish_stop(struct gw_publish *p)
{
	if (!p)
		return;
	gw_journal_stop(p->journal); /* it needs the plain way to its end */
	atomic_store(&p->stop, true);
	gw_plain_stop(p);
}

void gw_publish_free(struct gw_publish **pp)
{
	struct gw_publish *p = *pp;

	*pp = NULL;
	if (!p)
		return;
	gw_journal_free(&p->journal);
	gw_publish_known_release(p);
	pthread_mutex_destroy(&p->known_lock);
	pthread_mutex_destroy(&p->held_lock);
	bus_shares_free(&p->held_of);
	pthread_rwlock_destroy(&p->plain_lock);
	explicit_bzero(p->city, sizeof(p->city));
	free(p->topic);
	free(p->id);
	free(p);
}
