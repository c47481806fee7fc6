#include "bus/crypto.h"
#include "deploy/ctl/commands.h"

static enum ctl_exit key_new(const struct ctl_args *args)
{
	struct bus_error err;

	if (bus_key_create(args->rest[0], &err) != BUS_OK)
		return ctl_fail(&err, false);
	printf("%s\n", args->rest[0]);
	return CTL_OK;
}

const struct ctl_command ctl_key_new = {
	.noun = "key",
	.verb = "new",
	.operands = "FILE",
	.least = 1,
	.most = 1,
	.en = "make a secret key in a file only you can read",
	.id = "membuat kunci rahasia dalam berkas yang hanya dapat Anda baca",
	.example = "titian key new /etc/titian/dinsos.key",
	.run = key_new,
};
