/** Native controls in the editor's look: a browser knows best how they take keys and speak. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { IconName } from './Icon.tsx';
import { Icon } from './Icon.tsx';

export function Button(props: {
  icon?: IconName;
  label: string;
  onClick: () => void;
  kind?: 'primary' | 'secondary' | 'quiet' | 'danger';
  /** Only the icon is seen; the label is its name and tooltip. */
  iconOnly?: boolean;
  pressed?: boolean;
  disabled?: boolean;
  title?: string;
}) {
  const { icon, label, onClick, kind = 'secondary', iconOnly, pressed, disabled, title } = props;
  return (
    <button
      type="button"
      class={`button ${kind}${iconOnly ? ' icon-only' : ''}`}
      onClick={onClick}
      disabled={disabled ?? false}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      {...(iconOnly ? { 'aria-label': label } : {})}
      title={title ?? (iconOnly ? label : undefined)}
    >
      {icon && <Icon name={icon} />}
      {!iconOnly && <span>{label}</span>}
    </button>
  );
}

/** One of a few, all in sight: radio buttons. */
export function Choice<T extends string>(props: {
  label: string;
  options: readonly { value: T; label: string }[];
  value: T;
  onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{props.label}</legend>
      {props.options.map(({ value, label }) => (
        <label key={value} class={value === props.value ? 'chosen' : ''}>
          <input
            type="radio"
            name={name}
            value={value}
            checked={value === props.value}
            onChange={() => props.onChange(value)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Select<T extends string>(props: {
  label: string;
  options: readonly { value: T; label: string }[];
  value: T;
  onChange: (value: T) => void;
}) {
  const id = useId();
  return (
    <span class="field">
      <label for={id}>{props.label}</label>
      <select
        id={id}
        value={props.value}
        title={props.options.find(({ value }) => value === props.value)?.label}
        onChange={(event) => props.onChange(event.currentTarget.value as T)}
      >
        {props.options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </span>
  );
}

export function Slider(props: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  /** The value in words. */
  words: string;
  disabled?: boolean;
  onInput: (value: number) => void;
}) {
  const id = useId();
  return (
    <span class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        type="range"
        min={props.min}
        max={props.max}
        step={props.step}
        value={props.value}
        aria-valuetext={props.words}
        disabled={props.disabled ?? false}
        onInput={(event) => props.onInput(event.currentTarget.valueAsNumber)}
      />
      <output for={id}>{props.words}</output>
    </span>
  );
}

/** A button that opens a list of actions. Arrow keys move, Escape closes and returns to the button. */
export function Menu(props: {
  label: string;
  icon: IconName;
  iconOnly?: boolean;
  items: readonly { label: string; icon?: IconName; onSelect: () => void }[];
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const items = () => [...(list.current?.querySelectorAll<HTMLButtonElement>('button') ?? [])];
  const close = (): void => {
    setOpen(false);
    root.current?.querySelector('button')?.focus();
  };
  useEffect(() => {
    if (!open) return;
    items()[0]?.focus();
    const outside = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [open]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const target =
      { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[
        event.key
      ] ?? null;
    if (event.key === 'Escape') close();
    else if (target === null) return;
    else all[target]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <span class="menu" ref={root}>
      <button
        type="button"
        class={`button ${props.iconOnly ? 'quiet icon-only' : 'secondary'}`}
        aria-haspopup="menu"
        aria-expanded={open}
        {...(open ? { 'aria-controls': id } : {})}
        {...(props.iconOnly ? { 'aria-label': props.label, title: props.label } : {})}
        onClick={() => setOpen(!open)}
      >
        <Icon name={props.icon} />
        {!props.iconOnly && <span>{props.label}</span>}
        {!props.iconOnly && <Icon name="down" size={10} />}
      </button>
      {open && (
        <ul id={id} role="menu" aria-label={props.label} ref={list} onKeyDown={onKeyDown}>
          {props.items.map(({ label, icon, onSelect }) => (
            <li role="none" key={label}>
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                onClick={() => {
                  close();
                  onSelect();
                }}
              >
                {icon && <Icon name={icon} />}
                <span>{label}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </span>
  );
}

/** Words in place of, or above, what can't be shown. */
export function Notice(props: { tone: 'info' | 'warning' | 'bad'; title: string; children?: ComponentChildren }) {
  const icon: IconName = props.tone === 'info' ? 'info' : 'warning';
  return (
    <div class={`notice tone-${props.tone}`} role={props.tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={icon} size={16} />
      <div>
        <strong>{props.title}</strong>
        {props.children && <div class="notice-body">{props.children}</div>}
      </div>
    </div>
  );
}
