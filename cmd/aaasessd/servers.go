package main

import (
	"path/filepath"
	"time"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/serverstats"
	"aaasess/internal/servers"
)

// statisticsFile is the file in the state folder that has the statistics of servers.
const statisticsFile = "server-statistics"

// openServers continues the statistics of the servers. No group has a server yet.
func (d *daemon) openServers(cfg *config.Config) {
	d.servers = serverstats.Open(serverstats.Config{
		File: filepath.Join(cfg.State, statisticsFile), RADIUS: d.radius, TACACS: d.tacacs, Logger: d.log,
		Boot: func() (string, time.Duration) {
			boot := thisBoot()
			return boot.ID, boot.Uptime
		},
	}, cfg.Servers, cfg.NASIdentifier)
}

// setServers applies a new configuration. A server that is not in it any more is forgotten once its last
// group has ended.
func (d *daemon) setServers(cfg *config.Config) {
	d.radius.SetNASIdentifier(cfg.NASIdentifier)
	d.servers.SetServers(cfg.Servers, cfg.NASIdentifier)
}

// serverView returns what management sees of the servers.
func (d *daemon) serverView() *servers.View { return d.servers.View() }
