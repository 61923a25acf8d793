package local

import (
	_ "embed"
	"net/http"
)

// openapi describes the interface (OpenAPI 3.1). A test holds it against the handlers, the messages and
// the statuses.
//
//go:embed openapi.json
var openapi []byte

// pathOpenAPI is the path of the document. Whoever can connect may read it.
const pathOpenAPI = "/v1/openapi.json"

// showOpenAPI is GET /v1/openapi.json.
func showOpenAPI(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, "application/json", openapi)
}
