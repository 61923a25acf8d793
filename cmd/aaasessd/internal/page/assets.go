package page

import (
	"io/fs"
	"net/http"
	"path"
)

// assetTypes are the files of assets that browsers may have, with their types.
var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// assets returns the handler of the embedded files below /assets/.
func assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[1:] // fs.ReadFile refuses one with ..
		b, err := fs.ReadFile(files, name)
		kind := assetTypes[path.Ext(name)]
		if err != nil || kind == "" {
			http.Error(w, "there is no such file", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(b) // fails only if the browser has gone
	})
}
