package main

import (
	"path/filepath"
	"slices"
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
	}, serversOf(d.overlays.inUse.Load().file, cfg))
}

// setServers applies a new configuration: that of a file, merged with an overlay. A server that is not in
// the file any more is forgotten once its last group has ended.
func (d *daemon) setServers(file, cfg *config.Config) {
	d.radius.SetNASIdentifier(cfg.NASIdentifier)
	d.servers.SetServers(serversOf(file, cfg))
}

// serversOf returns the servers of a configuration, and those of the file that managers have destroyed.
func serversOf(file, cfg *config.Config) serverstats.Servers {
	all := serverstats.Servers{InUse: cfg.Servers, NASIdentifier: cfg.NASIdentifier}
	for _, id := range file.Servers {
		if !slices.ContainsFunc(cfg.Servers, func(other servers.Identity) bool { return other.Key() == id.Key() }) {
			all.Destroyed = append(all.Destroyed, id)
		}
	}
	return all
}

// serverView returns what management sees of the servers.
func (d *daemon) serverView() *servers.View { return d.servers.View() }
