/* gateway/commands.h - what titian-gateway does beside serving: each takes the words after its own, and
 * returns the program's exit status: 0 good, 1 not good, 2 usage or a file that cannot be read. */
#ifndef GATEWAY_COMMANDS_H
#define GATEWAY_COMMANDS_H

int gw_view_command(int argc, char **argv); /* `view test ...` */

#endif
