// Package show has the commands about the daemon itself: show status, show clients, show snmp, show
// running-config, and test. It uses only the control socket of the daemon. Package follow suggests
// clients with its functions.
package show
