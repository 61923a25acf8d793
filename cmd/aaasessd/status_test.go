package main

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"aaasess/agent/agentx"
)

// TestAgentXStatus: what show status says of the master agent.
func TestAgentXStatus(t *testing.T) {
	since := time.Date(2024, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	tests := []struct {
		name  string
		stats agentx.Stats
		want  string
	}{
		{
			"before the first attempt has ended",
			agentx.Stats{Since: since},
			`{"state":"disconnected","since":"2024-01-02T02:04:05Z","connects":0,"malformed":0}`,
		},
		{
			"duplicate",
			agentx.Stats{Since: since, Reason: agentx.DuplicateRegistration, LastError: errors.New("why")},
			`{"state":"disconnected","reason":"duplicate registration","since":"2024-01-02T02:04:05Z","connects":0,"malformed":0,"error":"why"}`,
		},
		{
			"the socket's mode",
			agentx.Stats{Since: since, Reason: agentx.PermissionDenied, LastError: errors.New("why"), Connects: 3, Malformed: 1},
			`{"state":"disconnected","reason":"permission denied","since":"2024-01-02T02:04:05Z","connects":3,"malformed":1,"error":"why"}`,
		},
		{
			"connected again",
			agentx.Stats{Since: since, Connected: true, LastError: errors.New("why"), Connects: 4},
			`{"state":"connected","since":"2024-01-02T02:04:05Z","connects":4,"malformed":0}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(newAgentXStatus(tt.stats))
			if err != nil || string(got) != tt.want {
				t.Errorf("%s, want %s, error %v", got, tt.want, err)
			}
		})
	}
}
