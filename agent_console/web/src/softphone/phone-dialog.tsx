import { Button, Modal, NativeSelect, Switch } from '@mantine/core';
import { useEffect, useState } from 'react';
import { ringOnChosenDevice } from '../alerting/use-ringing';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { usePhone, usePhoneSwitch } from './context';
import {
  chooseDevice,
  chosenDevice,
  improvesVoice,
  improveVoice,
  listDevices,
  pickDevice,
  type Device,
  type DeviceUse,
  type Devices,
} from './devices';
import { Headset } from './headset';
import { STATUS_TEXTS } from './phone-button';
import classes from './softphone.module.css';

const USES: readonly (readonly [DeviceUse, Key])[] = [
  ['microphone', 'phone.microphone'],
  ['speaker', 'phone.speaker'],
  ['ringer', 'phone.ringer'],
];
const SYSTEM_OWN: Device = { id: '', label: '' };
const TEST_SECONDS = 5;
const TEST_EVERY = 100;

/** The chosen devices, and those there are; `null` until they are known. */
function useDevices(active: boolean): Devices | null {
  const [devices, setDevices] = useState<Devices | null>(null);
  useEffect(() => {
    if (!active) return;
    const list = () => void listDevices().then(setDevices);
    list();
    navigator.mediaDevices.addEventListener('devicechange', list);
    return () => navigator.mediaDevices.removeEventListener('devicechange', list);
  }, [active]);
  return devices;
}

/** Records a few seconds of the microphone, showing its level, and plays them on the speaker. */
async function testDevices(onLevel: (level: number) => void): Promise<void> {
  const headset = new Headset();
  await headset.look();
  const stream = await headset.microphone();
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0));
  }, TEST_EVERY);
  const parts: Blob[] = [];
  const recorder = new MediaRecorder(stream);
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const recorded = new Promise<void>((resolve) => {
    recorder.onstop = () => resolve();
  });
  recorder.start();
  setTimeout(() => recorder.stop(), 1_000 * TEST_SECONDS);
  await recorded;
  clearInterval(timer);
  onLevel(0);
  stream.getTracks().forEach((track) => track.stop());
  await context.close();
  const player = new Audio(URL.createObjectURL(new Blob(parts, { type: recorder.mimeType })));
  await headset.playOnSpeaker(player);
  await player.play();
}

/** What a picker of devices shows: those there are, and the chosen one even when it is unplugged. */
function pickerOf(chosen: Device, plugged: readonly Device[], systemOwn: string, unplugged: string) {
  const { id, missing } = pickDevice(chosen, plugged);
  const options = plugged
    .filter((device) => device.id !== '')
    .map((device) => ({ value: device.id, label: device.label }));
  return {
    value: missing?.id ?? id,
    data: [{ value: '', label: systemOwn }, ...options, ...(missing ? [{ value: missing.id, label: unplugged }] : [])],
  };
}

/** Whether this page is a phone, its three devices, and a test of them before the shift. */
export default function PhoneDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = useLocalisation();
  const { wanted, want } = usePhoneSwitch();
  const { phone, state } = usePhone();
  const status = wanted ? state.status : 'off';
  const isAllowed = status === 'follower' || status === 'ready' || status === 'replaced';
  const devices = useDevices(isAllowed);
  const [chosen, setChosen] = useState(() => new Map(USES.map(([use]) => [use, chosenDevice(use)])));
  const [testing, setTesting] = useState(false);
  const [level, setLevel] = useState(0);
  const choose = (use: DeviceUse, id: string) => {
    const label = devices?.[use].find((device) => device.id === id)?.label ?? '';
    chooseDevice(use, { id, label });
    setChosen(new Map(chosen).set(use, { id, label }));
    if (use === 'ringer') ringOnChosenDevice();
    phone?.devicesChanged();
  };
  const test = () => {
    setTesting(true);
    void testDevices(setLevel)
      .catch(() => undefined) // a device that was pulled out ends the test
      .finally(() => setTesting(false));
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('phone.title')}
      centered
      closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
    >
      <div className={classes.dialog}>
        <Switch
          label={t('phone.use')}
          description={t(STATUS_TEXTS[status])}
          checked={wanted}
          onChange={(event) => want(event.currentTarget.checked)}
          data-testid="phone-use"
        />
        {devices &&
          USES.map(([use, label]) => {
            const was = chosen.get(use) ?? SYSTEM_OWN;
            const gone = t('phone.unplugged_device', { device: was.label });
            return (
              <NativeSelect
                key={use}
                label={t(label)}
                {...pickerOf(was, devices[use], t('phone.system_device'), gone)}
                onChange={(event) => choose(use, event.currentTarget.value)}
                data-testid={`device-${use}`}
              />
            );
          })}
        {devices && (
          <Switch
            label={t('phone.improve_voice')}
            description={t('phone.improve_voice_hint')}
            defaultChecked={improvesVoice()}
            onChange={(event) => {
              improveVoice(event.currentTarget.checked);
              phone?.devicesChanged();
            }}
          />
        )}
        {devices && state.call === null && (
          <>
            <Button variant="default" loading={testing} onClick={test} data-testid="phone-test">
              {t('phone.test')}
            </Button>
            <meter min={0} max={1} value={level} aria-label={t('phone.level')} />
          </>
        )}
      </div>
    </Modal>
  );
}
