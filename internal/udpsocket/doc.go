// Package udpsocket has what servers need of a UDP socket beside package net: large buffers, and the
// local address of a datagram (ip(7), IP_PKTINFO; ipv6(7), IPV6_PKTINFO). A socket that is bound to
// all addresses must answer from the one that it was asked at.
package udpsocket
