import { setup } from './setup-en.ts';

export const en = {
  signIn: 'Sign in',
  emailAtWork: 'Your e-mail address at work',
  continue: 'Continue',
  useShortName: 'Use the short name of your organization',
  shortName: 'The short name of your organization',
  nothingThere: 'There is no sign-in by that name. Check the spelling, or ask your administrator.',
  nobodyKnows: 'There is no sign-in for that address. Check the spelling, or ask your administrator.',
  signsYouInAt: 'Your organization signs you in at {host}.',
  linkTitle: 'Link this sign-in?',
  linkMeans:
    'You are signed in as {account}. From now on, whoever signs in at {connection} as {person} is you here as well.',
  linkOnly: 'Link it only if that is you.',
  link: 'Link',
  linkNot: 'Do not link',
  signOutTitle: 'Sign out?',
  signOutMeans: 'This ends your session here and in the applications that use it.',
  signOut: 'Sign out',
  staySignedIn: 'Stay signed in',
  signedOut: 'You are signed out',
  closeWindow: 'You can close this window.',
  requestTitle: 'This request could not be handled',
  requestMeans: 'Your application asked for something that does not work here. You did nothing wrong.',
  requestAction: 'Go back to your application and start again. If it happens again, tell whoever runs it.',
  technical: 'For whoever runs the application',
  ...setup,
};

export type PageTexts = typeof en;
