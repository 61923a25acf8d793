// Package show has the commands about the daemon itself: show status, show clients, show snmp, show
// running-config, and test.
package show
