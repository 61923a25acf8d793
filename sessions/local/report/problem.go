package report

import "fmt"

// ProblemType is the Content-Type of a [Problem].
const ProblemType = "application/problem+json"

// Problem says why a request was refused (RFC 9457). A refused request has changed nothing.
type Problem struct {
	Type   string `json:"type"` // always about:blank, so Title is that of the status
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Pointer is a JSON Pointer (RFC 6901) to the part of the body that is refused.
	Pointer string `json:"pointer,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string {
	switch {
	case p.Detail == "":
		return fmt.Sprintf("%d %s", p.Status, p.Title)
	case p.Pointer == "":
		return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail)
	}
	return fmt.Sprintf("%d %s: %s: %s", p.Status, p.Title, p.Pointer, p.Detail)
}
