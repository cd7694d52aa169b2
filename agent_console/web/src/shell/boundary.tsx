import { Component, type ReactNode } from 'react';
import { LoadProblem } from '../customers/load-problem';

interface BoundaryProps {
  readonly children: ReactNode;
}

/** A part of the page that fails is replaced by a line that says so; the call beside it goes on being shown. */
export class Boundary extends Component<BoundaryProps, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return <LoadProblem onRetry={() => this.setState({ failed: false })} />;
  }
}
