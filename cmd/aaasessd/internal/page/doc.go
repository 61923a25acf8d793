// Package page is the status page of the daemon (R94): what an operator looks at in a browser, at / of the
// HTTP listener. It reads a [Source] and knows neither the session table nor accounting.
//
// # Views
//
// A view is a path with a template and a function that reads what the template shows; views.go lists
// them. Each is a whole HTML page: links and GET forms are enough to use it. html/template escapes
// everything that a template prints, and the function text makes the characters of a text visible that
// have no glyph or turn the direction of others, because names come from the network.
//
// # Live regions
//
// The parts of a view that change are elements with an id and the attribute data-live. The content of
// each is a template whose name is that id. [Page.Live] renders them again, at most once a second for all
// streams of a view together, and sends those that have changed as server-sent events; the script puts
// them in their places. Everybody who sees a view shares its regions, so nothing in them may depend on
// who asks.
//
// # Browsers
//
// The headers of each answer forbid scripts, styles, images and connections of any other origin, inline
// scripts and styles, frames, and forms to elsewhere. There is one style sheet and one script, both
// embedded.
//
// # Concurrency
//
// All functions of a [Page] may be called from any goroutine. A view with at least one stream has one
// goroutine that renders it.
package page
