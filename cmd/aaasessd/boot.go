package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"aaasess/sessions"
)

// thisBoot tells which boot of the host this is and how long ago it was (proc(5), random(4)), so that a restart of the daemon can
// tell how long it was away whatever has become of the clock. Where the files cannot be read it is not known.
func thisBoot() sessions.Boot {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return sessions.Boot{}
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return sessions.Boot{}
	}
	return parseBoot(string(id), string(uptime))
}

// parseBoot reads the contents of the two files; the zero value if they are not what they should be.
func parseBoot(id, uptime string) sessions.Boot {
	first, _, _ := strings.Cut(uptime, " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if id = strings.TrimSpace(id); err != nil || id == "" || !(seconds >= 0 && seconds < float64(1<<62)/1e9) {
		return sessions.Boot{}
	}
	return sessions.Boot{ID: id, Uptime: time.Duration(seconds * float64(time.Second))}
}
