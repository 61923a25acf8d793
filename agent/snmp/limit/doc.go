// Package limit bounds what one source may ask of the responder: token buckets by source address
// (spec R16). It counts whatever the caller likes: requests, octets of responses, reports to
// messages that nobody has authenticated.
//
// # Sources
//
// A source is an IPv4 address, or an IPv6 /64, since a host has a whole one to choose from. An
// IPv4-mapped address is its IPv4 address, a zone counts for nothing. All of one link's fe80::/64 is
// one source, therefore.
//
// # Memory
//
// The table never grows: 4,096 sets of 4 buckets, half a megabyte. A hash of the source with a random
// seed names its set; nobody outside knows who shares a set with whom. A source that is not in its set
// takes a bucket that was never used, or else the one that has been idle for longest.
//
// # Which way it errs
//
// A UDP source is easily forged, so an attacker can fill the table as often as it likes. A bucket that
// changes hands is therefore not filled: the newcomer takes it with what is in it, debts too. Tokens
// come into a set only by time, four buckets' worth, whatever the number of sources. From this follow
// two bounds that no choice of addresses gets around (but for the debts, which are paid later):
//
//   - Nobody gets more for it. All sources together get at most 16,384 * (burst + perSecond * t), and
//     one source that has its own bucket pushed out again and again at most the 4 buckets of its set.
//     To push out that one costs the attacker some 16,384 forged packets each time, as it does not
//     know the set.
//   - An honest source gets less than its due only while its set is drained, which needs more than
//     16,384 * perSecond tokens in each second, spent from forged addresses on all sets at once. With
//     a limit of 100 requests in a second that is 1.6 million packets in a second, which the machine
//     drops elsewhere. Below it, a newcomer finds the bucket that had the longest time to fill. Above
//     it the honest source competes for the tokens of its set, with everybody who has a packet there,
//     and (burst / perSecond) seconds after the flood everything is as it was.
//
// So it errs against newcomers in a flood, by a little, and never towards answering without bound. The
// other choice, a full bucket for every newcomer, would let a flood buy answers to one victim.
//
// Without any attack, more than four sources with one set share four buckets. With 100 managers the
// chance is below one in a million that any five of them do, with 1,000 it is 3 in 100.
//
// # Concurrency
//
// A Limiter may be used by any number of goroutines. Each set has a mutex, held for some nanoseconds:
// goroutines meet only when they serve the same set at the same moment. Rate and burst are one pointer,
// replaced as a whole.
package limit
