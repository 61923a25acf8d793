package main

import (
	"fmt"
	"slices"

	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// The metrics of the section relay, in addition to those of accounting.
const (
	requestCPU = "CPU time of the contender per request"
	floodSent  = "requests with a wrong secret"
)

var (
	relayTable = slices.Concat([]report.Metric{
		{Name: answeredRate, Unit: "1/s"},
		{Name: requestCPU, Unit: "µs"},
	}, halfTable)
	floodTable = slices.Concat([]report.Metric{
		{Name: answeredRate, Unit: "1/s"},
		{Name: floodSent, Unit: "1/s"},
	}, halfTable)
)

// relayIntro is the introduction, with the versions of FreeRADIUS and radsecproxy.
const relayIntro = `The requests are Access-Requests as an access router sends them, with Message-Authenticator in front,
from 64 UDP ports on loopback. All contenders get them from the same load generator
(bench/stand/peers/logins.c), which has one thread. It checks every answer: authenticators, code, the
user's Class, and for EAP the State, the EAP-Message and the decrypted MS-MPPE keys. The server behind
a relay is the "accepter" (bench/stand/peers/accepter.c), a small C program that answers correctly and
keeps nothing. It checks signature, password and State, and a measurement fails if a wrong one arrives.
Load generator, contender and accepter share all CPUs. A NAS retransmits a request after 3 s and sends
it at most 4 times. To measure only this: go run ./bench -sections relay. Peers: %s, %s.`

func (r *relayBench) papNote() string {
	return fmt.Sprintf(`A login is one request with User-Password (10 attributes, 150 octets). First %s requests are sent, with %d in
flight. Then requests are sent for %v at fixed times, whether or not answers arrive, at half the rate
that "freeradius-proxy" reached in the same run.

- "aaasessd" has one server group of one server, records no accounting, and requires
  Message-Authenticator of client and server (the default). It keeps what each Access-Accept grants until
  the accounting start, which never comes.
- FreeRADIUS 3.2 runs with 2 to 8 threads and the system's default receive buffer. "freeradius-proxy"
  and "radsecproxy" (UDP to UDP) relay and keep nothing. radsecproxy logs warnings only, because by
  default it logs every Access-Accept.
- "accepter" is the accepter alone: the limit of load generator and server.

The CPU time is that of the contender, without the accepter behind it. The goal is a higher rate and a
lower p99 than both peers.`, report.Count(r.sizes.requests), stand.InFlight, r.sizes.half)
}

const relayEAPNote = `A login is three requests, as with EAP-MSCHAPv2: each of the first two is answered with an
Access-Challenge, whose State the next one has, and the third with an Access-Accept that has MS-MPPE
keys, which a relay encrypts again. As many requests are sent as for PAP. The in-flight logins and the
rates at fixed times are those of whole logins; rates and latencies in the table are those of requests.`

func (r *relayBench) floodNote() string {
	return fmt.Sprintf(`A client sends %s Access-Requests a second whose secret is wrong, from its own address. At the same time
another sends requests with User-Password as in the first table; its rates and latencies are in this
one. Half load is half of what "freeradius-proxy" reached without the flood in the same run. The
closed loop ends after %v at the latest.`, report.Count(int(r.sizes.flood)), closedLimit)
}
