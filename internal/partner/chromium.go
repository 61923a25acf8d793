package partner

import (
	"strings"
	"testing"
	"time"
)

// ChromiumProc is a Chromium without a window, with its profile in the test's temporary folder.
type ChromiumProc struct {
	DevTools string // WebSocket URL of its DevTools protocol

	process
}

// Chromium starts one, and returns when it serves the DevTools protocol. It ends with the test. If the
// test fails, its log is added to the test's. It finds no host but 127.0.0.1, so it asks nobody else.
func Chromium(t testing.TB) *ChromiumProc {
	t.Helper()
	profile := t.TempDir()
	c := &ChromiumProc{}
	c.process = process{
		t: t, name: "chromium", path: lookPath(t, "chromium"),
		args: []string{
			"--headless", "--no-sandbox", // as root it has no sandbox; all that it shows is ours
			"--remote-debugging-port=0", "--user-data-dir=" + profile,
			"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
			"--disable-extensions", "--disable-breakpad", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio",
			"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
			"--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-GB", "about:blank",
		},
		env:   []string{"HOME=" + profile, "XDG_CONFIG_HOME=" + profile, "XDG_CACHE_HOME=" + profile, "DBUS_SESSION_BUS_ADDRESS=disabled:", "TZ=UTC"},
		limit: time.Minute,
		ready: func(line string) bool {
			url, ok := strings.CutPrefix(line, "DevTools listening on ")
			if ok {
				c.DevTools = url
			}
			return ok
		},
	}
	c.begin()
	return c
}
