package page

import "testing"

// TestTokens: a token is good for one person, one action and one process.
func TestTokens(t *testing.T) {
	keys := newTokens()
	token := keys.token("alice", "disconnect 0000000A")
	for _, tt := range []struct {
		name                  string
		keys                  tokens
		token, person, action string
		want                  bool
	}{
		{"its own", keys, token, "alice", "disconnect 0000000A", true},
		{"another person", keys, token, "bob", "disconnect 0000000A", false},
		{"another session", keys, token, "alice", "disconnect 0000000B", false},
		{"another process", newTokens(), token, "alice", "disconnect 0000000A", false},
		{"none", keys, "", "alice", "disconnect 0000000A", false},
	} {
		if got := tt.keys.check(tt.token, tt.person, tt.action); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
