package browser

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	pageapi "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"aaasess/internal/partner"
)

const (
	// limit is how long a condition or a command may take.
	limit = 30 * time.Second
	// pollEvery is the time between two looks at a condition.
	pollEvery = 50 * time.Millisecond
)

// Browser is a running Chromium.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Start starts a Chromium. It ends with the test.
func Start(t testing.TB) *Browser {
	t.Helper()
	chromium := partner.Chromium(t)
	ctx, cancel := remote.NewAllocator(context.Background(), chromium.DevTools, remote.WithDialTimeout(limit))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("browser: %v", err)
	}
	return &Browser{t: t, ctx: ctx}
}

// Device is what a person has.
type Device struct {
	Name          string // in the names of screenshots
	Width, Height int64  // in CSS pixels
	Mobile        bool   // a touch screen, with the layout of phones
	Dark          bool   // the person prefers a dark colour scheme
	NoScript      bool   // the browser runs no scripts
	User          string // for basic authentication; "": none
	Password      string
}

// Desktop and Phone are usual devices. 360 pixels is the width of a small phone.
var (
	Desktop = Device{Name: "desktop", Width: 1280, Height: 900}
	Phone   = Device{Name: "phone", Width: 360, Height: 740, Mobile: true}
)

// Page is a tab.
type Page struct {
	t      testing.TB
	ctx    context.Context
	device Device
	watch  watch
}

// Open opens an empty tab on a device. It ends with the test, which fails if anything went wrong in it.
func (b *Browser) Open(d Device) *Page {
	b.t.Helper()
	p := &Page{t: b.t, device: d}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.watch.event))
	b.t.Cleanup(cancel)
	p.ctx = ctx
	p.watch.dialog = func() {
		accept := pageapi.HandleJavaScriptDialogParams{Accept: true}
		_, _ = chromedp.Call(ctx, pageapi.HandleJavaScriptDialog, accept) // fails if the tab has gone
	}
	b.t.Cleanup(func() {
		for _, problem := range p.watch.problems() {
			p.t.Errorf("browser: %s: %s", d.Name, problem)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as this context
		b.t.Fatalf("browser: %v", err)
	}
	viewport := []chromedp.EmulateViewportOption{}
	if d.Mobile {
		viewport = append(viewport, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	p.do(chromedp.EmulateViewport(d.Width, d.Height, viewport...))
	scheme := "light"
	if d.Dark {
		scheme = "dark"
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: d.NoScript})
	call(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(p, network.Enable, network.EnableParams{})
	call(p, pageapi.Enable, pageapi.EnableParams{})
	call(p, log.Enable, cdp.Empty{})
	call(p, runtime.Enable, cdp.Empty{})
	if d.User != "" {
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(d.User+":"+d.Password))
		call(p, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Authorization": basic}})
	}
	return p
}

// call runs a command of the DevTools protocol.
func call[P, R any](p *Page, cmd cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	r, err := chromedp.Call(ctx, cmd, params)
	if err != nil {
		p.t.Fatalf("browser: %s: %v", cmd.Method, err)
	}
	return r
}

func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("browser: %v\n%s", err, strings.Join(p.watch.all(), "\n"))
	}
}

// Go opens an address. From then on, requests to other hosts are problems.
func (p *Page) Go(address string) {
	p.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.watch.allow(u.Scheme + "://" + u.Host + "/")
	p.do(chromedp.Navigate(address))
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.t.Helper()
	p.do(chromedp.Reload())
}

// Expect says that a problem whose text has this part is none.
func (p *Page) Expect(part string) { p.watch.expect(part) }

// Requests returns the addresses that were asked for so far, in order.
func (p *Page) Requests() []string { return p.watch.requested() }

// Screenshot keeps a picture of the whole page as an artifact of the test: see the -artifacts flag of
// go test.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	b, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatalf("browser: %v", err)
	}
	scheme := ""
	if p.device.Dark {
		scheme = "-dark"
	}
	file := filepath.Join(p.t.ArtifactDir(), fmt.Sprintf("%s-%s%s.png", name, p.device.Name, scheme))
	if err := os.WriteFile(file, b, 0o600); err != nil {
		p.t.Fatal(err)
	}
}
