import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { logContract } from '../../contract/log.contract.ts';
import { tempDir } from '../../helpers/tempdir.ts';

/** Small segments, so that each suite crosses from one to the next. */
logContract('segment files', async () => {
  const dir = await tempDir();
  return {
    writer: () => openSegmentWriter(dir, { segmentBytes: 16 * 1024, maxBatchBytes: 64 * 1024 }),
    reader: () => openSegmentReader(dir, { pollMs: 5 }),
  };
});
