// Packs a tar as stargz-snapshotter's own library does, for tests that compare with it.
//
//	estargz [-chunk N] [-min-chunk N] [-zstd] < layer.tar > blob
//
// The layer's annotations go to stderr, as JSON.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"log"
	"os"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/klauspost/compress/zstd"
)

func main() {
	chunk := flag.Int("chunk", 0, "bytes of a chunk")
	minChunk := flag.Int("min-chunk", 0, "bytes of a gzip member at the least")
	asZstd := flag.Bool("zstd", false, "zstd:chunked")
	flag.Parse()
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	notes := map[string]string{}
	options := []estargz.Option{estargz.WithChunkSize(*chunk), estargz.WithMinChunkSize(*minChunk)}
	if *asZstd {
		packer := struct {
			*zstdchunked.Decompressor
			*zstdchunked.Compressor
		}{&zstdchunked.Decompressor{}, &zstdchunked.Compressor{CompressionLevel: zstd.SpeedDefault, Metadata: notes}}
		options = append(options, estargz.WithCompression(packer))
	}
	blob, err := estargz.Build(io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), options...)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(os.Stdout, blob); err != nil {
		log.Fatal(err)
	}
	if err := blob.Close(); err != nil {
		log.Fatal(err)
	}
	notes[estargz.TOCJSONDigestAnnotation] = blob.TOCDigest().String()
	if err := json.NewEncoder(os.Stderr).Encode(notes); err != nil {
		log.Fatal(err)
	}
}
