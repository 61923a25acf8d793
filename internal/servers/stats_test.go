package servers

import (
	"fmt"
	"testing"
)

// TestCas: how the columns of casStatisticsTable are made of the counters (CISCO-AAA-SERVER-MIB).
func TestCas(t *testing.T) {
	s := Stats{
		Requests: 1, Retransmissions: 2, Timeouts: 4, PacketsDropped: 8, LateResponses: 16, Errors: 32, MalformedResponses: 64, BadAuthenticators: 128,
		UnknownTypes: 256, TimedResponses: 2, ResponseTime: 1024, Successes: 1024, Failures: 2048, Responses: 4096, Follows: 8192,
	}
	got := []uint64{
		s.CasRequests(), s.CasRequestTimeouts(), s.CasUnexpectedResponses(), s.CasServerErrorResponses(), s.CasIncorrectResponses(),
		uint64(s.CasResponseTime()), s.CasTransactionSuccesses(), s.CasTransactionFailures(),
	}
	if want := "[3 4 24 32 448 512 1024 2048]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}
