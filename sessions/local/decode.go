package local

import (
	"errors"
	"net/http"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	localreport "aaasess/sessions/local/report"
)

// decode reads a report strictly: a member that no report has, one that is there twice, and text that
// is not UTF-8 are errors. The error is a [*localreport.Problem] that points to the fault and never repeats
// the octets.
func decode(body []byte) (r localreport.Report, err error) { return r, decodeInto(body, &r) }

// decodeInto is decode for any message.
func decodeInto(body []byte, v any) error {
	err := jsonv2.Unmarshal(body, v, jsonv2.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	detail, pointer := "is not JSON", jsontext.Pointer("")
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer = e.JSONPointer
		switch {
		case errors.Is(e.Err, jsontext.ErrDuplicateName):
			detail = "occurs twice"
		case !isText(body):
			detail = "is not valid UTF-8"
		}
	} else if e, ok := errors.AsType[*jsonv2.SemanticError](err); ok {
		pointer = e.JSONPointer
		detail = "has another type, or is out of range"
		if errors.Is(e.Err, jsonv2.ErrUnknownName) {
			detail = "is no member of a report"
		}
	}
	return problem(http.StatusBadRequest, cleanPointer(string(pointer)), "%s", detail)
}
