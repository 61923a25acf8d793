package main

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// task is anything that the daemon runs. Run runs until its context is done, or with an error that ends the daemon.
// Ready is closed when the task does what it is there for. String names it in logs and errors.
type task interface {
	fmt.Stringer
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// runTasks runs all tasks until ctx is done or one of them fails; its error has the task's name. ready is called when
// the first ones, serving, are all ready; nobody waits for the others.
func runTasks(ctx context.Context, serving, others []task, ready func()) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range slices.Concat(serving, others) {
		g.Go(func() error {
			if err := t.Run(ctx); err != nil {
				return fmt.Errorf("%s: %w", t, err)
			}
			return nil
		})
	}
	g.Go(func() error {
		for _, t := range serving {
			select {
			case <-t.Ready():
			case <-ctx.Done():
				return nil
			}
		}
		ready()
		return nil
	})
	return g.Wait()
}

// loop is a task that is a function of the daemon.
type loop struct {
	name  string
	ready <-chan struct{}
	run   func(ctx context.Context) error
}

func (l loop) Run(ctx context.Context) error { return l.run(ctx) }
func (l loop) Ready() <-chan struct{}        { return l.ready }
func (l loop) String() string                { return l.name }

// closed is the Ready of a task that has nothing to wait for.
func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
