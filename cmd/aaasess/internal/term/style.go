package term

// Styles of a terminal (SGR). With NO_COLOR the terminal library leaves out the colors.
const (
	StyleBold    = "\x1b[1m"
	StyleReverse = "\x1b[7m"
	StyleRed     = "\x1b[31m"
	StyleYellow  = "\x1b[33m"
	StyleReset   = "\x1b[m"
)
