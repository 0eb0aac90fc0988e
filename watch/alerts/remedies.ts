/** What to do about each alert, for the people who read it. By type and reason, with lines of its own for some causes. */
import type { AlertType, Reason } from '../../protocol/alerts.ts';

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

type Text = Record<Language, string>;

const REMEDIES: { [T in AlertType]?: Partial<Record<Reason<T> | `cause:${string}`, Text[]>> } = {
  'quota.terminals': {
    approaching: [
      {
        en: 'Unbind terminals that were replaced or are no longer used, or ask the acquirer to raise the terminal limit before the next one is bound.',
        zh: '请解绑已更换或停用的终端，或在绑定下一台终端之前向收单机构申请提高终端数量上限。',
      },
    ],
    reached: [
      {
        en: 'No further terminal can be bound: unbind one that is no longer used, or ask the acquirer to raise the terminal limit.',
        zh: '已无法再绑定终端：请解绑一台不再使用的终端，或向收单机构申请提高终端数量上限。',
      },
    ],
    over: [
      {
        en: 'More terminals are bound than the limit allows: unbind the surplus, or have the acquirer confirm a higher limit.',
        zh: '已绑定终端数超过上限：请解绑多余终端，或请收单机构确认更高的上限。',
      },
    ],
    'cause:limit_cut': [
      {
        en: 'The limit was lowered: ask the acquirer whether that was meant, and from which date.',
        zh: '上限已被调低：请向收单机构确认是否为预期调整及其生效日期。',
      },
    ],
  },
  'terminal.offline': {
    silent: [
      {
        en: 'Ask the shop whether the terminal is switched on and shows a signal; restart it if it does not come back.',
        zh: '请联系门店确认终端是否开机、是否有信号；若仍未恢复，请重启终端。',
      },
    ],
    lost: [
      {
        en: 'The connection broke without a goodbye: check power, SIM and coverage at the shop.',
        zh: '连接异常中断：请检查门店的电源、SIM 卡和网络信号。',
      },
    ],
    'cause:switched_off': [
      {
        en: 'It was switched off during its opening hours: ask the shop whether that was meant.',
        zh: '终端在营业时间内被关机：请向门店确认是否为主动关机。',
      },
    ],
  },
  'platform.blind': {
    broker: [
      {
        en: 'Terminals are not heard, and nobody is called offline for it: start the broker again and see what it says of its end. They send what they kept.',
        zh: '目前收不到终端的消息，在此期间不会判定终端离线：请重启消息代理并查看其停止原因；终端会补发已缓存的数据。',
      },
    ],
    log: [
      {
        en: 'What terminals send cannot be written, so they keep it: free disk space, raise the size limit of the log, or let what reads it catch up.',
        zh: '无法写入终端上报的数据，终端会自行缓存：请释放磁盘空间、调高日志大小上限，或等待读取方赶上进度。',
      },
    ],
    store: [
      {
        en: 'Alerts go on, charts stand still: start the store, or see in its answers why it takes nothing. What it missed is written once it is back.',
        zh: '告警不受影响，但图表停止更新：请启动存储，或根据其返回信息排查拒绝写入的原因；恢复后会补写缺失的数据。',
      },
    ],
    collector: [
      {
        en: 'Alerts come late: the collector was away, or has more to read than it can. It catches up by itself; see its machine where it does not.',
        zh: '告警有延迟：采集器曾停止运行或读取积压过多。它会自行赶上进度；若没有，请检查其所在主机。',
      },
    ],
    clock: [
      {
        en: 'The clock of a broker was set: see that its machine keeps time by NTP, and by small corrections.',
        zh: '消息代理主机的时钟发生跳变：请确认该主机通过 NTP 平滑校时。',
      },
    ],
  },
  'place.moved': {
    moved: [
      {
        en: 'Ask the merchant where the terminal is. If it was moved with leave, register its new place; if nobody knows, block it until it is found.',
        zh: '请向商户确认终端的实际位置：若为经许可的移机，请登记新地址；若无人知晓，请在找到之前停用该终端。',
      },
    ],
    'cause:misconfiguration': [
      {
        en: 'The distance is that between two datums: check first whether the registered coordinates, or those of the terminal, are really in the datum that is given.',
        zh: '该偏移与两种坐标系之间的差异相符：请先核对登记坐标或终端上报坐标所标注的坐标系是否正确。',
      },
    ],
  },
};

export function remediesFor(type: AlertType, reason: Reason, cause: string, language: Language = 'en'): string[] {
  const byReason = REMEDIES[type] as Record<string, Text[] | undefined> | undefined;
  return [...(byReason?.[reason] ?? []), ...(byReason?.[`cause:${cause}`] ?? [])].map((text) => text[language]);
}
