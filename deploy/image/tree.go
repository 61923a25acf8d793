package main

import (
	"archive/tar"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// tree has the files and folders of an image by their absolute paths.
type tree map[string]entry

// entry is a file or a folder.
type entry struct {
	folder   bool
	mode     int64
	uid, gid int
	data     []byte
}

func (t tree) has(name string) bool { _, ok := t[path.Clean(name)]; return ok }

// addFolder adds a folder and those above it, unless they are there.
func (t tree) addFolder(name string, uid, gid int) {
	name = path.Clean(name)
	if name == "/" || t.has(name) {
		return
	}
	t.addFolder(path.Dir(name), uid, gid)
	t[name] = entry{folder: true, mode: 0o755, uid: uid, gid: gid}
}

// addFile adds a file of root. If it is a Go program, addFile returns the platform that it is for.
// A program that needs a dynamic linker is an error: the image has none.
func (t tree) addFile(from, name string) (*v1.Platform, error) {
	data, err := os.ReadFile(from)
	if err != nil {
		return nil, err
	}
	t.addFolder(path.Dir(name), 0, 0)
	e := entry{mode: 0o644, data: data}
	program, err := elf.NewFile(bytes.NewReader(data))
	if err != nil { // no program
		t[name] = e
		return nil, nil
	}
	if slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return nil, fmt.Errorf("%s needs a dynamic linker; build it with CGO_ENABLED=0", from)
	}
	e.mode = 0o755
	t[name] = e
	return platform(from, data)
}

// platform returns what a Go program was built for.
func platform(name string, program []byte) (*v1.Platform, error) {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &v1.Platform{}
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS":
			p.OS = s.Value
		case "GOARCH":
			p.Architecture = s.Value
		case "GOARM":
			p.Variant = "v" + s.Value[:1]
		}
	}
	return p, nil
}

// layer returns a layer with all files. Their order is that of their names, and their time is
// created, so that the same files give the same layer.
func (t tree) layer(created time.Time) (v1.Layer, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		e := t[name]
		h := &tar.Header{Name: name[1:], Mode: e.mode, Uid: e.uid, Gid: e.gid, ModTime: created, Size: int64(len(e.data)), Typeflag: tar.TypeReg}
		if e.folder {
			h.Name, h.Typeflag = h.Name+"/", tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}
