import { describe, expect, it } from 'vitest';
import { type BadRow, readImport } from '../../../collector/import/csv.ts';

const merchants = (text: string, name = 'merchants.csv') => ({ name, text });
const terminals = (text: string, name = 'terminals.csv') => ({ name, text });

/** What an import of these files names as bad; fails where it imports. */
function problemsOf(...files: { name: string; text: string }[]): string[] {
  const result = readImport(files);
  if (result.ok) throw new Error(`${result.changes.length} rows were imported`);
  return result.problems.map(({ file, row, problem }: BadRow) => `${file} ${row}: ${problem}`);
}

function changesOf(...files: { name: string; text: string }[]) {
  const result = readImport(files);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.changes;
}

describe('good files', () => {
  it('are read whole, numbers as numbers and blanks as absent', () => {
    const result = readImport([
      merchants(
        'acquirer,merchant,name,terminal_limit,limit_from,limit_reason,bind_limit,bind_days,region,tz\nacme,m-1,"Tea, and more",10,2026-01-01,,3,30,east,Asia/Shanghai\n',
      ),
      terminals(
        'acquirer,merchant,site,sn,tid,model,lifecycle,peripheral_limit,lat,lon,datum,use\nacme,m-1,s-1,SN000001,10000001,A920,,4,31.23,121.47,wgs84,fixed\n',
      ),
      { name: 'scopes.csv', text: 'acquirer,merchant,sn,region,card,kind,open,since\nacme,,,,credit,sale,TRUE,2026-01-01\n' },
      { name: 'models.csv', text: 'model,peripherals,min_app\nA920,4,3.0\n' },
    ]);

    expect(result).toEqual({
      ok: true,
      changes: [
        {
          table: 'merchants',
          row: {
            acquirer: 'acme',
            merchant: 'm-1',
            name: 'Tea, and more',
            terminal_limit: 10,
            limit_from: '2026-01-01',
            bind_limit: 3,
            bind_days: 30,
            region: 'east',
            tz: 'Asia/Shanghai',
          },
        },
        {
          table: 'terminals',
          row: {
            acquirer: 'acme',
            merchant: 'm-1',
            site: 's-1',
            sn: 'SN000001',
            tid: '10000001',
            model: 'A920',
            lifecycle: 'active',
            peripheral_limit: 4,
            lat: 31.23,
            lon: 121.47,
            datum: 'wgs84',
            use: 'fixed',
          },
        },
        { table: 'scopes', row: { acquirer: 'acme', card: 'credit', kind: 'sale', open: true, since: '2026-01-01' } },
        { table: 'models', row: { model: 'A920', peripherals: 4, min_app: '3.0' } },
      ],
      report: { rows: { merchants: 1, terminals: 1, scopes: 1, models: 1 }, notes: [] },
    });
  });

  it('say what is assumed of terminals with half a place, none that can be, or one in China without its datum', () => {
    const places = ['31.23,121.47,', ',121.47,wgs84', '0,0,wgs84', '31.23,121.47,gcj02', '52.52,13.4,', ',,'];
    const rows = places.map((place, n) => `acme,m-1,SN00000${n},${place}`);
    const result = readImport([terminals(`acquirer,merchant,sn,lat,lon,datum\n${rows.join('\n')}\n`)]);

    expect(result).toMatchObject({
      report: {
        notes: [
          'terminals.csv: 2 of 6 terminals have lat without lon, lon without lat, or 0,0 and are taken to have no place',
          'terminals.csv: 1 of 6 terminals have a place in China without a datum: fixes are held against it in each of wgs84, gcj02 and bd09',
        ],
      },
    });
  });

  it.each([
    ['a byte order mark', '\uFEFFacquirer,merchant,name\nacme,m-1,Tea\n'],
    ['CRLF line ends', 'acquirer,merchant,name\r\nacme,m-1,Tea\r\n'],
    ['CR line ends', 'acquirer,merchant,name\racme,m-1,Tea\r'],
    ['no line end at the end', 'acquirer,merchant,name\nacme,m-1,Tea'],
    ['quotes around everything', '"acquirer","merchant","name"\n"acme","m-1","Tea"\n'],
    ['spaces around cells', ' acquirer , merchant,name \n acme , m-1 ,  Tea\n'],
    ['blank lines', '\nacquirer,merchant,name\n\nacme,m-1,Tea\n\n'],
    ['columns in another order, and some missing', 'name,merchant,acquirer\nTea,m-1,acme\n'],
  ])('may have %s', (_, text) => {
    expect(changesOf(merchants(text))).toEqual([{ table: 'merchants', row: { acquirer: 'acme', merchant: 'm-1', name: 'Tea' } }]);
  });

  it('may stand in a folder', () => {
    expect(changesOf(merchants('acquirer,merchant\nacme,m-1\n', 'registry/2026/merchants.csv'))).toHaveLength(1);
  });

  it('say how many merchants have no zone, and what is taken for it', () => {
    const result = readImport([merchants('acquirer,merchant,tz\nacme,m-1,\nacme,m-2,Asia/Tokyo\nacme,m-3,\n')]);

    expect(result).toMatchObject({
      ok: true,
      report: { notes: ['merchants.csv: 2 of 3 merchants have no tz and are taken to be in UTC'] },
    });
  });

  it('keep a limit that is to come with its date', () => {
    expect(
      changesOf(merchants('acquirer,merchant,terminal_limit,limit_from,limit_reason\nacme,m-1,5,2027-03-01,regulatory\n'))[0]!.row,
    ).toMatchObject({
      terminal_limit: 5,
      limit_from: '2027-03-01',
      limit_reason: 'regulatory',
    });
  });

  it('may hold the same serial at two acquirers, and the same merchant code', () => {
    expect(changesOf(terminals('acquirer,merchant,sn\nacme,m-1,SN000001\nbolt,m-1,SN000001\n'))).toHaveLength(2);
  });
});

describe('a bad row is named with its file, its line and its column', () => {
  it.each([
    ['a missing serial', 'acme,m-1,,,,', 'sn'],
    ['a serial too short', 'acme,m-1,SN1,,,', 'sn: not a serial number'],
    ['an acquirer with capitals', 'ACME,m-1,SN000001,,,', 'acquirer: not an acquirer code'],
    ['a lifecycle that is none', 'acme,m-1,SN000001,lost,,', 'lifecycle: expected "pending"'],
    ['a number that is none', 'acme,m-1,SN000001,,four,', 'peripheral_limit: expected'],
    ['a number below zero', 'acme,m-1,SN000001,,-1,', 'peripheral_limit: expected at least 0'],
    ['a number in another form', 'acme,m-1,SN000001,,1e3,', 'peripheral_limit: expected'],
    ['half a slot', 'acme,m-1,SN000001,,1.5,', 'peripheral_limit: expected whole number'],
    ['a latitude beyond the pole', 'acme,m-1,SN000001,,,91', 'lat: not a latitude, -90 to 90: are lat and lon swapped?'],
    ['NaN', 'acme,m-1,SN000001,,,NaN', 'lat: expected number'],
  ])('%s', (_, row, problem) => {
    const text = `acquirer,merchant,sn,lifecycle,peripheral_limit,lat\nacme,m-1,SN000009,,,\n${row}\n`;

    expect(problemsOf(terminals(text))).toEqual([expect.stringContaining(`terminals.csv 3: ${problem}`)]);
  });

  it.each([
    ['a date that does not exist', 'acme,m-1,10,2026-02-30,', 'limit_from: not a date'],
    ['a zone that is none', 'acme,m-1,10,,Mars/Olympus', 'tz: not an IANA time zone'],
    ['a name that is too long', `acme,${'m'.repeat(129)},10,,`, 'merchant: expected at most 128 characters'],
    ['a huge cell', `acme,${'m'.repeat(2_000_000)},10,,`, 'merchant: expected at most 128 characters'],
  ])('%s', (_, row, problem) => {
    const text = `acquirer,merchant,terminal_limit,limit_from,tz\n${row}\n`;

    expect(problemsOf(merchants(text))).toEqual([expect.stringContaining(`merchants.csv 2: ${problem}`)]);
  });

  it('all of them at once, and nothing is imported', () => {
    const text =
      'acquirer,merchant,sn,lat\nacme,m-1,SN000001,\nacme,,SN000002,200\nacme,m-1,x,\nacme,m-1,SN000003\nacme,m-1,SN000004,1,2\n';

    const problems = problemsOf(terminals(text));

    expect(problems.map((problem) => problem.replace(/: .*/, '')).toSorted()).toEqual([
      'terminals.csv 3',
      'terminals.csv 3',
      'terminals.csv 4',
      'terminals.csv 5',
      'terminals.csv 6',
    ]);
    expect(problems).toContain('terminals.csv 5: 3 cells under 4 columns');
    expect(problems).toContain('terminals.csv 6: 5 cells under 4 columns');
  });

  it('no problem repeats what the cell held', () => {
    const card = '4111111111111111';

    expect(problemsOf(terminals(`acquirer,merchant,sn,lat\n${card}${card}x,m-1,SN!${card},${card}\n`)).join()).not.toContain(card);
  });
});

describe('lines are counted as an editor counts them', () => {
  const bad = 'acme,m-1,!';

  it.each([
    ['below blank lines', `\nacquirer,merchant,sn\n\n\n${bad}\n`, 5],
    ['below a cell of three lines', `acquirer,merchant,sn\nacme,"m\n\n1",SN000001\n${bad}\n`, 5],
    ['below a cell of two lines with CRLF', `acquirer,merchant,sn\r\nacme,"m\r\n1",SN000001\r\n${bad}\r\n`, 4],
    ['where it begins, if it is itself of two lines', `acquirer,merchant,sn\nacme,m-1,SN000001\nacme,"m\n1",!\n`, 3],
    ['after blank lines, if it is of two lines', `acquirer,merchant,sn\n\n\nacme,"m\n1",!\n`, 4],
  ])('%s', (_, text, row) => {
    expect(problemsOf(terminals(text))).toEqual([expect.stringContaining(`terminals.csv ${row}: sn`)]);
  });
});

describe('a bad file', () => {
  const HEADER = 'acquirer,merchant,sn\n';

  it.each([
    ['that is empty', '', 'terminals.csv 0: the file is empty'],
    ['of blank lines', '\n\n', 'terminals.csv 0: the file is empty'],
    ['with a header alone', HEADER, 'terminals.csv 0: no rows under the header'],
    ['with an unknown column', 'acquirer,merchant,serial\nacme,m-1,SN000001\n', 'terminals.csv 1: unknown column serial'],
    ['without a column that it needs', 'acquirer,site,sn\nacme,s-1,SN000001\n', 'terminals.csv 1: missing column merchant'],
    ['with a column twice', 'acquirer,merchant,sn,sn\nacme,m-1,SN000001,SN000002\n', 'terminals.csv 1: the column sn stands twice'],
    ['without a header', 'acme,m-1,SN000001\n', 'terminals.csv 1: unknown column acme, m-1, SN000001'],
    ['with semicolons', 'acquirer;merchant;sn\nacme;m-1;SN000001\n', 'terminals.csv 1: unknown column acquirer;merchant;sn'],
    [
      'with a quote that is never closed',
      `${HEADER}acme,m-1,SN000001\nacme,"m-1,SN000002\nacme,m-1,SN000003\n`,
      'terminals.csv 3: a quote',
    ],
    ['with a quote out of place', `${HEADER}acme,m-1,SN000001\nacme,"m"1,SN000002\nacme,m-1,SN000003\n`, 'terminals.csv 3: a quote'],
    ['that is not UTF-8', `${HEADER}acme,m-1,SN000001\nacme,caf\uFFFD,SN000002\n`, 'terminals.csv 3: not UTF-8'],
    ['that is binary', '\0\u0001\uFFFD\uFFFD', 'terminals.csv 1: not UTF-8'],
  ])('%s', (_, text, problem) => {
    expect(problemsOf(terminals(text))).toEqual([expect.stringContaining(problem)]);
  });

  it.each(['bindings.csv', 'terminals.txt', 'terminal.csv', 'terminals.csv.bak', 'xterminals.csv', ''])('that is called %j', (name) => {
    expect(problemsOf({ name, text: 'acquirer,merchant,sn\nacme,m-1,SN000001\n' })).toEqual([
      expect.stringContaining(`${name} 0: not a registry file`),
    ]);
  });

  it('beside good ones imports nothing of them', () => {
    expect(problemsOf(merchants('acquirer,merchant\nacme,m-1\n'), terminals(''))).toEqual(['terminals.csv 0: the file is empty']);
  });

  it('is not there at all', () => {
    expect(problemsOf()).toEqual([' 0: there is no file to import']);
  });
});

describe('two rows about the same thing', () => {
  it('in one file are named, the later with the line of the earlier', () => {
    const text = 'acquirer,merchant,sn\nacme,m-1,SN000001\nacme,m-2,SN000002\nacme,m-2,SN000001\n';

    expect(problemsOf(terminals(text))).toEqual(['terminals.csv 4: the same terminal as in row 2']);
  });

  it('in two files of one table are named, with the other file', () => {
    const [a, b] = ['a/terminals.csv', 'b/terminals.csv'].map((name) => terminals('acquirer,merchant,sn\nacme,m-1,SN000001\n', name));

    expect(problemsOf(a!, b!)).toEqual(['b/terminals.csv 2: the same terminal as in row 2 of a/terminals.csv']);
  });

  it.each([
    ['merchants.csv', 'acquirer,merchant,name\nacme,m-1,a\nacme,m-1,b\n'],
    ['models.csv', 'model,peripherals\nA920,1\nA920,2\n'],
    ['scopes.csv', 'acquirer,merchant,card,open\nacme,m-1,credit,true\nacme,m-1,credit,false\n'],
  ])('are named in %s, for the order of rows must not matter', (name, text) => {
    expect(problemsOf({ name, text })).toEqual([expect.stringContaining(`${name} 3: the same`)]);
  });
});
