import { downloadFile } from "../download-file.ts";
import { originFiles } from "../origin-files.ts";
import { byteAt } from "./byte-at.ts";

/** What the worker is to do: the server stands still behind `hangAfter` bytes. */
export interface DownloadTask {
  readonly url: string;
  readonly name: string;
  readonly size: number;
  readonly hangAfter?: number;
}

const PIECE = 50_000;

addEventListener("message", async ({ data }: MessageEvent<DownloadTask>) => {
  const { url, name, size, hangAfter = Number.POSITIVE_INFINITY } = data;
  const requests: string[] = [];
  globalThis.fetch = async (_, init) => {
    const range = new Headers(init?.headers).get("range") ?? "";
    requests.push(`${init?.method} ${range}`.trim());
    const from = Number(/bytes=(\d+)-/.exec(range)?.[1] ?? 0);
    let at = from;
    const body = new ReadableStream<Uint8Array>({
      pull(stream) {
        if (at >= size) return stream.close();
        if (at >= hangAfter) return new Promise(() => postMessage({ hangs: true }));
        stream.enqueue(Uint8Array.from({ length: Math.min(PIECE, size - at) }, (_, i) => byteAt(at + i)));
        at += PIECE;
      },
    });
    const headers = { "content-length": String(size - from), etag: '"one"' };
    return new Response(body, { status: from > 0 ? 206 : 200, headers });
  };
  const { source, record } = await downloadFile(url, { store: originFiles(), name, onWarning: () => {} });
  postMessage({ requests, sha256: record.sha256, bytes: await source.read(0, source.size) });
});
