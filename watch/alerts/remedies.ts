/** What to do about each alert, for the people who read it. By type and reason, with lines of its own for some causes. */
import type { AlertType, Reason } from '../../protocol/alerts.ts';

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

type Text = Record<Language, string>;

const MEANWHILE: Text = {
  en: 'Until then the shop can take payments by another SIM or Wi-Fi, or by a QR code.',
  zh: '在恢复之前，门店可改用其他 SIM 卡或 Wi-Fi 收款，或使用二维码收款。',
};

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
  'coverage.weakening': {
    trend: [
      {
        en: 'The signal is falling and may be gone soon: move the terminal or its antenna to where it was better, and keep QR payments ready meanwhile.',
        zh: '信号持续下降，可能即将中断：请将终端或其天线移回信号较好的位置，期间可先使用二维码收款。',
      },
    ],
    step: [
      {
        en: 'The signal fell at once and stays low: look whether the terminal was moved, its antenna came off, or something was put in front of it.',
        zh: '信号骤降且未恢复：请检查终端是否被移动、天线是否松脱，或前方是否新增遮挡物。',
      },
    ],
    band: [
      {
        en: 'Payments may fail at this signal: try another place in the shop, another SIM, or Wi-Fi.',
        zh: '当前信号可能导致交易失败：请尝试更换店内位置、更换 SIM 卡或改用 Wi-Fi。',
      },
    ],
    reconnects: [
      {
        en: 'The connection is made anew again and again: use Wi-Fi or another SIM if there is one; have the device serviced if that does not help.',
        zh: '终端反复重新连接：如有条件请改用 Wi-Fi 或更换 SIM 卡；若仍无改善，请送修设备。',
      },
    ],
    agent: [
      {
        en: 'The terminal itself expects to lose the network: keep it where it is best received, and keep QR payments ready meanwhile.',
        zh: '终端自身预判即将断网：请将其放在信号最好的位置，期间可先使用二维码收款。',
      },
    ],
    'cause:weak_signal': [
      {
        en: 'Coverage is weak here: an external antenna or a booster helps, or the SIM of an operator that is received better.',
        zh: '此处信号覆盖较弱：可加装外置天线或信号放大器，或改用覆盖更好的运营商的 SIM 卡。',
      },
    ],
    'cause:interference': [
      {
        en: 'The signal is strong but disturbed: move the terminal away from other radios and power supplies; ask the operator about the cell if neighbours see the same.',
        zh: '信号强度正常但受到干扰：请让终端远离其他无线设备和电源；若周边终端有同样现象，请向运营商询问该基站情况。',
      },
    ],
    'cause:obstructed': [
      {
        en: 'If nothing stands in its way, ask the operator about the cell, and have the antenna serviced.',
        zh: '若无遮挡物，请向运营商询问该基站情况，并送修检查天线。',
      },
    ],
    'cause:relocated': [
      {
        en: 'It was taken to another place, which is received worse: choose one nearer to a window, or take it back.',
        zh: '终端已被移至信号较差的位置：请选择更靠近窗户的位置，或移回原处。',
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
        en: 'It was switched off during its opening hours: ask the shop whether that was meant. If the shop is closed, nothing needs to be done; have its opening hours corrected.',
        zh: '终端在营业时间内被关机：请向门店确认是否为主动关机。若门店已停业休息，则无需处理，请更正其营业时间。',
      },
    ],
    'cause:radio': [
      {
        en: 'Its signal was weak: move the terminal or its antenna to a window or higher up; where that does not help, fit an outdoor antenna or a booster.',
        zh: '终端信号弱：请将终端或其天线移至窗边或更高处；若仍无改善，请加装室外天线或信号放大器。',
      },
      MEANWHILE,
    ],
    'cause:power': [
      {
        en: 'Its power went: have the shop check socket, charger and battery. A battery that does not last needs service.',
        zh: '终端断电：请门店检查插座、充电器和电池；若电池不耐用，请送修更换。',
      },
    ],
    'cause:site': [
      {
        en: 'Others of its shop went with it: ask the shop about its power and its router before looking at the terminal. If the shop is closed, nothing needs to be done.',
        zh: '同一门店的其他终端同时离线：请先向门店确认供电和路由器情况，再检查终端。若门店已停业休息，则无需处理。',
      },
    ],
    'cause:sim_data': [
      {
        en: 'The data of its SIM plan are used up: have the plan raised, or put in another SIM. Let it use Wi-Fi until then.',
        zh: 'SIM 卡套餐流量已用完：请提升套餐或更换 SIM 卡，在此之前可改用 Wi-Fi。',
      },
    ],
    'cause:update': [
      {
        en: 'It was being updated: wait for half an hour. If it does not come back by itself, restart it; if it fails again, stop the update for its model and send it to service.',
        zh: '终端正在升级：请等待半小时；若未自行恢复，请重启终端；若再次失败，请停止该型号的升级并送修。',
      },
    ],
  },
  'terminal.unstable': {
    flapping: [
      {
        en: 'Its connection comes and goes: move the terminal or its antenna, and try another SIM or Wi-Fi. Where that changes nothing, have the device serviced.',
        zh: '终端连接时断时续：请移动终端或其天线，并尝试更换 SIM 卡或改用 Wi-Fi；若仍无改善，请送修设备。',
      },
    ],
    'cause:power': [
      {
        en: 'Its power comes and goes: have the shop check plug and charger.',
        zh: '终端供电不稳定：请门店检查插头和充电器。',
      },
    ],
  },
  outage: {
    site: [
      {
        en: 'The whole shop is cut off: ask it about its power and its router or line. If the shop is closed, nothing needs to be done.',
        zh: '整个门店断网：请向门店确认供电、路由器和线路情况。若门店已停业休息，则无需处理。',
      },
      MEANWHILE,
    ],
    cell: [
      {
        en: 'Terminals in one mobile cell are cut off: ask the operator about this cell. Nothing is wrong with the terminals.',
        zh: '同一移动基站小区内的终端断网：请向运营商查询该小区情况，终端本身无故障。',
      },
      MEANWHILE,
    ],
    operator: [
      {
        en: 'Terminals of one mobile operator are cut off: ask the operator, and tell the shops. Nothing is wrong with the terminals.',
        zh: '同一移动运营商的终端断网：请联系该运营商并告知各门店，终端本身无故障。',
      },
      MEANWHILE,
    ],
    acquirer: [
      {
        en: "Most of an acquirer's terminals are cut off: check what they share, such as its private network, its firewall, and their certificates and credentials.",
        zh: '某收单机构的大部分终端断网：请检查其共用环节，例如专网、防火墙以及终端的证书和凭据。',
      },
    ],
    app: [
      {
        en: 'Terminals on one version of the app are cut off: stop its roll-out, and go back to the version before.',
        zh: '使用同一应用版本的终端断网：请停止该版本的推送，并回退到上一版本。',
      },
    ],
    'cause:power': [
      {
        en: 'Most of its terminals told that their power went: ask the shop or its electricity supplier first.',
        zh: '多数终端上报断电：请先联系门店或供电单位。',
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
