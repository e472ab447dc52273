/** What is shown in the place of something that cannot be drawn: a page that is blank says nothing. */

import { Component, type ComponentChildren } from "preact";

interface Props {
  /** What is drawn; when it is another one it is tried again. */
  readonly of: unknown;
  readonly instead: (text: string) => ComponentChildren;
  readonly children: ComponentChildren;
}
interface State {
  readonly failed: { readonly of: unknown; readonly text: string } | null;
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { failed: null };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    const text = error instanceof Error ? error.message : String(error);
    this.setState({ failed: { of: this.props.of, text } });
  }

  override render({ of, instead, children }: Props, { failed }: State): ComponentChildren {
    return failed !== null && failed.of === of ? instead(failed.text) : children;
  }
}
