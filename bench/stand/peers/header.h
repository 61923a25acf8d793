/* header.h: the header of a RADIUS packet (RFC 2865 section 3). */
#ifndef HEADER
#include <stdint.h>

#define AUTHENTICATOR 16
#define HEADER 20

static inline unsigned packet_length(const uint8_t *p) { return p[2] << 8 | p[3]; }
#endif
