package main

import (
	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// Decision implements control.Accounting.
func (d *commands) Decision(route *sessions.Route) api.Decision { return *decision(route.String()) }
