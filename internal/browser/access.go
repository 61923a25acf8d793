package browser

import (
	_ "embed"
	"encoding/json"

	"github.com/chromedp/cdproto/accessibility"
)

// Node is a node of the accessibility tree, which screen readers read.
type Node struct {
	Role, Name string
	Properties map[string]string // values as JSON: focusable, level, ...
}

// Tree returns the nodes of the accessibility tree that are not ignored, in the order of the page.
func (p *Page) Tree() (out []Node) {
	p.t.Helper()
	call(p, accessibility.Enable, struct{}{})
	for _, n := range call(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if n.Ignored {
			continue
		}
		node := Node{Role: text(n.Role), Name: text(n.Name), Properties: map[string]string{}}
		for _, property := range n.Properties {
			if property.Value != nil {
				node.Properties[string(property.Name)] = string(property.Value.Value)
			}
		}
		out = append(out, node)
	}
	return out
}

func text(v *accessibility.Value) (s string) {
	if v != nil {
		_ = json.Unmarshal(v.Value, &s) // a value that is no text has no text
	}
	return s
}

//go:embed audit.js
var audit string

// named are roles that need a name.
var named = map[string]bool{
	"link": true, "button": true, "textbox": true, "searchbox": true, "combobox": true, "checkbox": true, "radio": true,
	"table": true, "navigation": true, "region": true, "search": true, "image": true, "meter": true,
	"heading": true, "RootWebArea": true, "DisclosureTriangle": true,
}

// Audit returns what makes the page hard to use: controls, tables and regions without a name, headings
// out of order, texts with a contrast below 4.5 (3 for large text: WCAG 2.2, 1.4.3), an id that is there
// twice, table headings without scope, a page wider than its window (1.4.10), targets smaller than 24
// pixels (2.5.8).
func (p *Page) Audit() (faults []string) {
	p.t.Helper()
	faults = Eval[[]string](p, audit)
	for _, n := range p.Tree() {
		if named[n.Role] && n.Name == "" {
			faults = append(faults, "a "+n.Role+" has no name")
		}
	}
	return faults
}
