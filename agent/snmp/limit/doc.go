// Package limit limits what one source may request from the responder, by token buckets for each
// source address (spec R16). The caller defines the unit of a token: a request, an octet of a
// response, or a report to an unauthenticated message. [Total] limits all sources together: without
// it, the answers that an attacker requests from forged sources are bounded by the table only.
//
// # Sources
//
// A source is an IPv4 address or an IPv6 /64, because one host can choose any address of its /64.
// An IPv4-mapped address is its IPv4 address. Zones are ignored, so the fe80::/64 of all links is
// one source.
//
// # Memory
//
// The table has a fixed size: 4,096 sets of 4 buckets, half a megabyte. A hash of the source with a
// random seed selects its set, so nobody outside can predict which sources share a set. A source
// without a bucket gets an unused one, or the one that has been idle longest.
//
// # Behaviour under attack
//
// A UDP source is easily forged, so an attacker can fill the table at any time. Therefore a bucket
// is not refilled when it gets a new owner: the new source inherits its level, including a debt. A
// set receives tokens only with time, at the rate of four buckets, whatever the number of sources.
// Two bounds follow, whatever addresses an attacker chooses (apart from debts, which are paid
// later):
//
//   - No source gets more. All sources together get at most 16,384 * (burst + perSecond * t). A
//     source whose bucket is evicted again and again gets at most the 4 buckets of its set. Because
//     the attacker does not know the set, each eviction costs about 16,384 forged packets.
//   - An honest source gets less than its rate only while its set is drained. That needs more than
//     16,384 * perSecond tokens in each second, from forged addresses on all sets at once. With a
//     limit of 100 requests a second that is 1.6 million packets a second, which the machine drops
//     elsewhere. Below that rate, a new source gets the bucket that had the longest time to fill.
//     Above it, the honest source competes for the tokens of its set with everybody who has a
//     packet there. (burst / perSecond) seconds after the flood everything is normal again.
//
// So in a flood new sources get slightly less than their rate, and the answers stay bounded. The
// alternative, a full bucket for every new source, would let a flood buy answers to one victim.
//
// Without an attack, more than four sources of one set share four buckets. With 100 managers the
// chance that any five share a set is below one in a million; with 1,000 managers it is 3 in 100.
//
// # Concurrency
//
// A Limiter may be used from any number of goroutines. Each set has a mutex, held for a few
// nanoseconds, so goroutines meet only if they use the same set at the same moment. Rate and burst
// are behind one pointer and replaced together.
package limit
