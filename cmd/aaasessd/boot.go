package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"aaasess/sessions"
)

// thisBoot returns the boot id and the uptime of the host (proc(5), random(4)). With them, a
// restarted daemon knows how long it was down even if the wall clock was set. It returns the zero
// value if it cannot read them.
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

// parseBoot parses the contents of the two files. It returns the zero value if they are invalid.
func parseBoot(id, uptime string) sessions.Boot {
	first, _, _ := strings.Cut(uptime, " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if id = strings.TrimSpace(id); err != nil || id == "" || !(seconds >= 0 && seconds < float64(1<<62)/1e9) {
		return sessions.Boot{}
	}
	return sessions.Boot{ID: id, Uptime: time.Duration(seconds * float64(time.Second))}
}
