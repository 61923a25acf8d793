package main

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"time"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/logtap"
)

// newLogger returns the logger of the daemon, which the control socket can watch. Durations have a unit in
// both formats, such as 1m30s.
func newLogger(w io.Writer, cfg config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(cfg.Level)
	if cfg.Format == "json" {
		return slog.New(logtap.NewHandler(newShortageHandler(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: withUnits}))))
	}
	return slog.New(logtap.NewHandler(newShortageHandler(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))))
}

// withUnits replaces durations, which JSON would have as nanoseconds.
func withUnits(_ []string, a slog.Attr) slog.Attr {
	if d, ok := a.Value.Any().(time.Duration); ok {
		a.Value = slog.StringValue(d.String())
	}
	return a
}

// logErrors logs an error, with a line for each of the errors that it joins.
func logErrors(log *slog.Logger, message string, err error) {
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			log.Error(message, "err", line)
		}
	}
}

// errLogged is the error of a daemon whose error is in its log.
var errLogged = errors.New("see the log")

// logFailure logs the error that ended the daemon, in the format of its configuration file, even if
// the rest of the file is invalid. It returns errLogged, or nil if there is no error.
func logFailure(w io.Writer, file string, err error) error {
	if err == nil {
		return nil
	}
	logErrors(newLogger(w, config.LogOf(file), new(slog.LevelVar)), "the daemon failed", err)
	return errLogged
}
