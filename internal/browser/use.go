package browser

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Keys that have no character.
const (
	Tab   = kb.Tab
	Enter = kb.Enter
	End   = kb.End
)

// Eval returns the value of a JavaScript expression, which DevTools evaluates even if the page runs no
// scripts.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	v, err := evaluate[T](p, expression)
	if err != nil {
		p.t.Fatalf("browser: %s: %v", expression, err)
	}
	return v
}

func evaluate[T any](p *Page, expression string) (v T, err error) {
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// Quote returns a text as a JavaScript expression.
func Quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return string(b)
}

// Until waits until a JavaScript expression is true. An expression that fails, for instance while a page
// loads, is not true.
func (p *Page) Until(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			text, _ := evaluate[string](p, `location.href + "\n" + document.body.innerText`)
			p.t.Fatalf("browser: not within %v: %s; %v\n%s\n%s", limit, expression, err, text, strings.Join(p.watch.all(), "\n"))
		case <-tick.C:
		}
	}
}

// UntilText waits until the text of the first element that a CSS selector finds has a part.
func (p *Page) UntilText(selector, part string) {
	p.t.Helper()
	p.Until("document.querySelector(" + Quote(selector) + ")?.innerText.includes(" + Quote(part) + ") === true")
}

// Text returns the text of the first element that a CSS selector finds, as it is seen.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return Eval[string](p, "document.querySelector("+Quote(selector)+").innerText")
}

// Texts returns the texts of all elements that a CSS selector finds.
func (p *Page) Texts(selector string) []string {
	p.t.Helper()
	return Eval[[]string](p, "[...document.querySelectorAll("+Quote(selector)+")].map(e => e.innerText)")
}

// Count returns how many elements a CSS selector finds.
func (p *Page) Count(selector string) int {
	p.t.Helper()
	return Eval[int](p, "document.querySelectorAll("+Quote(selector)+").length")
}

// Click clicks the first element that a CSS selector finds with the mouse, when it is seen.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Until("document.querySelector(" + Quote(selector) + ")?.checkVisibility() === true")
	box := Eval[struct{ X, Y float64 }](p, `(() => {
		const e = document.querySelector(`+Quote(selector)+`);
		e.scrollIntoView({ block: "center" });
		const [box] = e.getClientRects();
		return { X: box.x + box.width / 2, Y: box.y + box.height / 2 };
	})()`)
	p.do(chromedp.MouseClickXY(box.X, box.Y))
}

// Type gives the focus to the element that a CSS selector finds, and types a text.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.Focus(selector)
	p.Press(text)
}

// Focus gives the focus to the first element that a CSS selector finds.
func (p *Page) Focus(selector string) {
	p.t.Helper()
	p.Until("document.querySelector(" + Quote(selector) + ") !== null")
	Eval[chromedp.Void](p, "document.querySelector("+Quote(selector)+").focus()")
}

// Press types a text or a key where the focus is.
func (p *Page) Press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// Follow does something that leads to another page, and waits until the page with this path and these
// parameters is loaded.
func (p *Page) Follow(act func(), path string) {
	p.t.Helper()
	act()
	p.Until("document.readyState === 'complete' && location.pathname + location.search === " + Quote(path))
}

// Back goes back in the history.
func (p *Page) Back() {
	p.t.Helper()
	_, _ = evaluate[chromedp.Void](p, "void history.back()") // the page that evaluates it may be gone before its answer
}
